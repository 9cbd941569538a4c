//! A client that says exactly what a test wants said.

use crate::rig::{PATIENCE, Rig};
use futures_util::{SinkExt, StreamExt};
use holdfast_common::{
    codec,
    cursor::Cursor,
    error::Code,
    frame::{
        Ack, ClientFrame, Emit, Entries, Entry, Hello, JoinRoom, LaneState, Presence, Reject,
        RoomCursor, RoomInfo, ServerFrame, Welcome,
    },
    id::{EventId, PersonId, RoomId, SessionId, WriterId},
};
use serde_json::Value;
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub fn fresh() -> [u8; 16] {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut bytes = [7; 16];
    bytes[8..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    bytes
}

/// What a browser's profile keeps.
#[derive(Debug, Clone)]
pub struct Me {
    pub person: PersonId,
    pub name: String,
    pub secret: String,
    pub writer: WriterId,
    pub generation: u64,
    pub session: SessionId,
    pub rooms: Vec<RoomCursor>,
    pub lanes: Vec<LaneState>,
}

impl Me {
    pub fn new(name: &str) -> Self {
        Self {
            person: PersonId::from_bytes(fresh()),
            name: name.to_owned(),
            secret: "a secret that is long enough".to_owned(),
            writer: WriterId::from_bytes(fresh()),
            generation: 0,
            session: SessionId::from_bytes(fresh()),
            rooms: Vec::new(),
            lanes: Vec::new(),
        }
    }

    /// The same person in another browser.
    pub fn elsewhere(&self) -> Self {
        Self { person: self.person, secret: self.secret.clone(), ..Self::new(&self.name) }
    }

    pub fn hello(&mut self) -> Hello {
        self.generation += 1;
        Hello {
            person: self.person,
            secret: self.secret.clone(),
            name: self.name.clone(),
            writer: self.writer,
            generation: self.generation,
            session: self.session,
            rooms: self.rooms.clone(),
            lanes: self.lanes.clone(),
            more: false,
        }
    }
}

pub struct Talker {
    pub me: Me,
    pub welcome: Welcome,
    pub wire: Wire,
}

/// An open socket.
pub struct Wire {
    pub socket: Socket,
    /// Entries that have come and were not asked for yet.
    held: Vec<Entries>,
}

pub async fn dial(address: SocketAddr, protocol: Option<&str>) -> Wire {
    let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
    if let Some(protocol) = protocol {
        let name = "sec-websocket-protocol";
        request.headers_mut().insert(name, HeaderValue::from_str(protocol).unwrap());
    }
    let (socket, response) = connect_async(request).await.unwrap();
    let echoed = response.headers().get("sec-websocket-protocol");
    assert_eq!(echoed.map(|it| it.to_str().unwrap()), protocol);
    Wire { socket, held: Vec::new() }
}

impl Wire {
    pub async fn send(&mut self, frame: &ClientFrame) {
        self.text(codec::write_client(frame)).await;
    }

    pub async fn text(&mut self, text: impl Into<String>) {
        self.socket.send(Message::text(text.into())).await.unwrap();
    }

    /// The same where the server may have closed before all of it is sent.
    pub async fn pour(&mut self, text: String) {
        let sent = tokio::time::timeout(PATIENCE, self.socket.send(Message::text(text))).await;
        let _cut = sent.expect("it is taken or cut in time");
    }

    /// The next message that is not a WebSocket ping; `None` where the connection has ended.
    pub async fn message(&mut self) -> Option<Message> {
        let message = async {
            loop {
                match self.socket.next().await?.ok()? {
                    Message::Ping(_) | Message::Pong(_) => {}
                    message => return Some(message),
                }
            }
        };
        tokio::time::timeout(PATIENCE, message).await.expect("a message in time")
    }

    pub async fn next(&mut self) -> ServerFrame {
        let frame = match self.message().await {
            Some(Message::Text(text)) => {
                codec::read_server(&text).unwrap().expect("a frame of this version")
            }
            other => panic!("a frame, not {other:?}"),
        };
        if let ServerFrame::Entries(entries) = &frame {
            self.held.push(entries.clone());
        }
        frame
    }

    /// Skips frames until `wanted` is found.
    pub async fn find<T>(&mut self, mut wanted: impl FnMut(ServerFrame) -> Option<T>) -> T {
        loop {
            if let Some(found) = wanted(self.next().await) {
                return found;
            }
        }
    }

    /// Skips frames until the close, and returns its code.
    pub async fn closed(&mut self) -> Option<Code> {
        loop {
            match self.message().await {
                Some(Message::Close(Some(close))) => return Code::from_close(close.code.into()),
                Some(Message::Text(_)) => {}
                other => panic!("a coded close, not {other:?}"),
            }
        }
    }
}

impl Talker {
    pub async fn new(rig: &Rig, name: &str) -> Self {
        Self::come(rig, Me::new(name)).await
    }

    /// Connects and is welcomed.
    pub async fn come(rig: &Rig, mut me: Me) -> Self {
        let mut wire = dial(rig.address, Some("holdfast.v1")).await;
        wire.send(&ClientFrame::Hello(me.hello())).await;
        let welcome = match wire.next().await {
            ServerFrame::Welcome(welcome) => welcome,
            other => panic!("a welcome, not {other:?}"),
        };
        Self { me, welcome, wire }
    }

    /// Connects and waits until the lobby is live.
    pub async fn at_home(rig: &Rig, name: &str) -> Self {
        let mut talker = Self::new(rig, name).await;
        talker.live(rig.lobby).await;
        talker
    }

    /// Waits until the room is live, and forgets what it held before.
    pub async fn live(&mut self, room: RoomId) {
        self.wire.find(|frame| live_in(&frame, room)).await;
        self.wire.held.retain(|it| it.room != room);
    }

    pub async fn emit(&mut self, room: RoomId, n: u64, kind: &str, payload: Value) -> EventId {
        let id = EventId::from_bytes(fresh());
        self.emit_as(id, room, n, kind, &payload.to_string()).await;
        id
    }

    pub async fn emit_as(&mut self, id: EventId, room: RoomId, n: u64, kind: &str, payload: &str) {
        let (ns, kind) = ("chat".to_owned(), kind.to_owned());
        let head = ClientFrame::Emit(Emit { ns, room, n, floor: 0, id, kind });
        self.wire.text(codec::write_client_with(&head, payload)).await;
    }

    pub async fn say(&mut self, room: RoomId, n: u64, text: &str) -> EventId {
        self.emit(room, n, "message", serde_json::json!({ "text": text })).await
    }

    pub async fn ack(&mut self) -> Ack {
        let ack = |frame| match frame {
            ServerFrame::Ack(ack) => Some(ack),
            ServerFrame::Reject(reject) => panic!("an ack, not {reject:?}"),
            ServerFrame::Retry(retry) => panic!("an ack, not {retry:?}"),
            _ => None,
        };
        self.wire.find(ack).await
    }

    pub async fn rejected(&mut self) -> Reject {
        let reject = |frame| match frame {
            ServerFrame::Reject(reject) => Some(reject),
            ServerFrame::Ack(ack) => panic!("a rejection, not {ack:?}"),
            _ => None,
        };
        self.wire.find(reject).await
    }

    /// Reads until so many entries of a room have come, one by one and in order.
    pub async fn entries(&mut self, room: RoomId, count: usize) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (these, others) =
                std::mem::take(&mut self.wire.held).into_iter().partition(|it| it.room == room);
            self.wire.held = others;
            let these: Vec<Entries> = these;
            entries.extend(these.into_iter().flat_map(|it| it.entries));
            if entries.len() >= count {
                break;
            }
            self.wire.next().await;
        }
        let offsets: Vec<u64> = entries.iter().map(|entry| entry.offset).collect();
        assert!(offsets.windows(2).all(|two| two[0] + 1 == two[1]), "{offsets:?}");
        entries
    }

    pub async fn presence(&mut self, room: RoomId) -> Presence {
        let presence = |frame| match frame {
            ServerFrame::Presence(presence) if presence.room == room => Some(presence),
            _ => None,
        };
        self.wire.find(presence).await
    }

    pub async fn room(&mut self, wanted: impl Fn(&RoomInfo) -> bool) -> RoomInfo {
        let room = |frame| match frame {
            ServerFrame::Rooms(rooms) => rooms.rooms.into_iter().find(|room| wanted(room)),
            _ => None,
        };
        self.wire.find(room).await
    }

    pub async fn join(&mut self, room: RoomId) {
        self.wire.send(&ClientFrame::Join(JoinRoom { req: 1, room })).await;
        let joined = |frame| match frame {
            ServerFrame::Joined(joined) => Some(joined),
            ServerFrame::Refused(refused) => panic!("a join, not {refused:?}"),
            _ => None,
        };
        assert_eq!(self.wire.find(joined).await.room.room, room);
    }

    /// Everything sent before this has been taken in by the server.
    pub async fn settled(&mut self) {
        let n = u64::from_be_bytes(fresh()[8..].try_into().unwrap());
        self.wire.send(&ClientFrame::Ping(holdfast_common::frame::Ping { n })).await;
        let pong = |frame| match frame {
            ServerFrame::Pong(pong) if pong.n == n => Some(()),
            _ => None,
        };
        self.wire.find(pong).await;
    }
}

fn live_in(frame: &ServerFrame, room: RoomId) -> Option<()> {
    matches!(frame, ServerFrame::Live(live) if live.room == room).then_some(())
}

pub fn text(entry: &Entry) -> String {
    let data: Value = serde_json::from_str(entry.data.as_ref().unwrap().get()).unwrap();
    data["text"].as_str().unwrap().to_owned()
}

pub fn cursor(room: RoomId, epoch: holdfast_common::id::Epoch, entry: &Entry) -> RoomCursor {
    let cursor = Cursor { epoch, offset: entry.offset, mark: entry.mark };
    RoomCursor { room, cursor }
}
