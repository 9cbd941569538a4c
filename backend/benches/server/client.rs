//! A bare client: the wire and nothing held, so that it costs little beside the server.

use crate::Outcome;
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use holdfast_common::{
    chat, codec,
    frame::{ClientFrame, Emit, Hello, RoomCursor, SUBPROTOCOL, ServerFrame},
    id::{EventId, PersonId, RoomId, SessionId, WriterId},
};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, client::IntoClientRequest, protocol::WebSocketConfig},
};

const READ_BUFFER: usize = 8 * 1024;

type Socket = WebSocketStream<TcpStream>;

/// Ids of one run: unlike each other, and of any earlier run's folder nothing is left.
fn number() -> (u64, [u8; 10]) {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut random = [0; 10];
    random[2..].copy_from_slice(&n.to_be_bytes());
    (n, random)
}

pub(crate) struct Client {
    pub(crate) out: SplitSink<Socket, Message>,
    pub(crate) frames: SplitStream<Socket>,
    /// Known from the welcome.
    pub(crate) lobby: RoomId,
    /// Emits that wait for their verdict at most; what is below them is not asked for again.
    pub(crate) window: u64,
    next: u64,
}

impl Client {
    /// Connects as a new person and reads up to the lobby's being live.
    pub(crate) async fn connect(address: &str) -> Outcome<Self> {
        let mut client = Self::greet(address, Vec::new()).await?;
        client.until(|text| text.starts_with("{\"live\"")).await?;
        Ok(client)
    }

    /// Connects with cursors and reads up to the rooms.
    pub(crate) async fn greet(address: &str, rooms: Vec<RoomCursor>) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut request = format!("ws://{address}/ws").into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", SUBPROTOCOL.parse()?);
        // By default 128 KiB are zeroed for each read, which the server's own work would pay for here.
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
        let (socket, _) = client_async_with_config(request, stream, Some(config)).await?;
        let (out, frames) = socket.split();
        let (ms, random) = number();
        let hello = Hello {
            person: PersonId::new(ms, &random),
            secret: "a secret of sixteen or more".to_owned(),
            name: "bench".to_owned(),
            writer: WriterId::new(ms, &random),
            generation: 1,
            session: SessionId::new(ms, &random),
            rooms,
            lanes: Vec::new(),
            more: false,
        };
        let mut client = Self { out, frames, lobby: RoomId::NIL, window: 64, next: 1 };
        let hello = codec::write_client(&ClientFrame::Hello(hello));
        client.out.send(Message::text(hello)).await?;
        let rooms = client.until(|text| text.starts_with("{\"rooms\"")).await?;
        let Some(ServerFrame::Rooms(rooms)) = codec::read_server(&rooms)? else {
            return Err("no rooms".into());
        };
        let lobby = rooms.rooms.iter().find(|room| room.name == chat::LOBBY);
        client.lobby = lobby.ok_or("there is no lobby")?.room;
        Ok(client)
    }

    /// The next text.
    pub(crate) async fn text(&mut self) -> Outcome<String> {
        loop {
            match self.frames.next().await.ok_or("the server closed")?? {
                Message::Text(text) => return Ok(text.as_str().to_owned()),
                Message::Close(frame) => return Err(format!("closed: {frame:?}").into()),
                _ => {}
            }
        }
    }

    /// Reads up to a text that fits.
    pub(crate) async fn until(&mut self, fits: impl Fn(&str) -> bool) -> Outcome<String> {
        loop {
            let text = self.text().await?;
            if fits(&text) {
                return Ok(text);
            }
        }
    }

    /// A new room of its own.
    pub(crate) fn room() -> RoomId {
        let (ms, random) = number();
        RoomId::new(ms, &random)
    }

    /// The next emit of this client's only lane.
    pub(crate) fn emit(&mut self, room: RoomId, kind: &str, payload: &str) -> Message {
        let (ms, random) = number();
        let n = self.next;
        self.next += 1;
        let (ns, kind, id) = ("chat".to_owned(), kind.to_owned(), EventId::new(ms, &random));
        let floor = n.saturating_sub(self.window);
        let head = ClientFrame::Emit(Emit { ns, room, n, floor, id, kind });
        Message::text(codec::write_client_with(&head, payload))
    }
}
