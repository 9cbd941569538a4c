//! A socket that says whatever bytes it is told to. Nothing here knows how to be polite.

use holdfast_common::{
    codec,
    frame::{ClientFrame, Hello, ServerFrame},
    id::{PersonId, RoomId, SessionId, WriterId},
};
use std::{
    io,
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

/// Longer than anything here takes; who waits so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// First bytes of frames.
pub const TEXT: u8 = 0x81;
pub const BINARY: u8 = 0x82;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8a;
pub const BEGIN: u8 = 0x01;
pub const MORE: u8 = 0x00;
pub const LAST: u8 = 0x80;

const MASK: [u8; 4] = [0x11, 0x22, 0x33, 0x44];

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// A close frame's number and reason.
    Close(u16, String),
    /// Nothing more comes, without a close.
    Gone,
}

impl End {
    pub fn number(&self) -> Option<u16> {
        match self {
            Self::Close(number, _) => Some(*number),
            Self::Gone => None,
        }
    }
}

pub fn fresh() -> [u8; 16] {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut bytes = [0x5e; 16];
    bytes[8..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    bytes
}

/// The hello of somebody who was never here.
pub fn hello() -> Hello {
    Hello {
        person: PersonId::from_bytes(fresh()),
        secret: "a secret that is long enough".to_owned(),
        name: "Mallory".to_owned(),
        writer: WriterId::from_bytes(fresh()),
        generation: 1,
        session: SessionId::from_bytes(fresh()),
        rooms: Vec::new(),
        lanes: Vec::new(),
        more: false,
    }
}

/// The bytes of a whole text frame that says it.
pub fn said(frame: &ClientFrame) -> Vec<u8> {
    framed(TEXT, codec::write_client(frame).as_bytes())
}

/// A frame as a client has to mask it.
pub fn framed(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(first, payload.len() as u64);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// The header of a masked frame that says it has so many bytes.
pub fn header(first: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match length {
        0..=125 => bytes.push(0x80 | u8::try_from(length).unwrap()),
        126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes
}

/// The head of an upgrade that would be taken.
pub fn upgrade(address: SocketAddr) -> String {
    upgrade_to(address, "holdfast.v1")
}

/// The same to another protocol.
pub fn upgrade_to(address: SocketAddr, protocol: &str) -> String {
    format!(
        "GET /ws HTTP/1.1\r\nhost: {address}\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: {protocol}\r\n\r\n"
    )
}

pub struct Raw {
    pub stream: TcpStream,
    /// What was read and not used yet.
    read: Vec<u8>,
}

impl Raw {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::new() }
    }

    /// One whose system takes little for it: who does not read is felt by the server soon. Not too
    /// little: a window below a packet's size is slow by itself.
    pub async fn narrow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(64 * 1024).unwrap();
        let stream = socket.connect(address).await.unwrap();
        Self { stream, read: Vec::new() }
    }

    /// With a WebSocket on it that has said nothing.
    pub async fn upgraded(address: SocketAddr) -> Self {
        Self::connect(address).await.up(address).await
    }

    pub async fn up(mut self, address: SocketAddr) -> Self {
        self.write(upgrade(address).as_bytes()).await.unwrap();
        assert_eq!(self.status().await, Some(101));
        self
    }

    /// As somebody new, who has heard all that there is to hear.
    pub async fn greeted(address: SocketAddr) -> Self {
        Self::upgraded(address).await.welcomed(hello()).await
    }

    pub async fn welcomed(mut self, hello: Hello) -> Self {
        self.write(&said(&ClientFrame::Hello(hello))).await.unwrap();
        self.find(|frame| matches!(frame, ServerFrame::Live(_)).then_some(())).await;
        self
    }

    /// An error means that the server takes nothing more.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = timeout(PATIENCE, self.stream.write_all(bytes)).await;
        written.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Writes until it is done, or until nothing has moved for a while. Returns whether it is done.
    pub async fn press(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            match timeout(Duration::from_secs(2), self.stream.write(bytes)).await {
                Ok(Ok(n)) => bytes = &bytes[n..],
                _ => return false,
            }
        }
        true
    }

    /// Reads an answer's head, and its body where it has a length. `None` where the connection ended.
    pub async fn answer(&mut self) -> Option<(u16, String)> {
        let end = loop {
            if let Some(end) = self.read.windows(4).position(|it| it == b"\r\n\r\n") {
                break end;
            }
            self.more().await?;
        };
        let head = String::from_utf8(self.read.drain(..end + 4).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        while self.read.len() < length {
            self.more().await?;
        }
        let body = self.read.drain(..length).collect();
        Some((status, head + &String::from_utf8(body).unwrap()))
    }

    pub async fn status(&mut self) -> Option<u16> {
        Some(self.answer().await?.0)
    }

    /// The next frame's first byte and its payload.
    pub async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some((first, start, length)) = framing(&self.read)
                && self.read.len() - start >= length
            {
                let rest = self.read.split_off(start + length);
                let mut frame = std::mem::replace(&mut self.read, rest);
                return Some((first, frame.split_off(start)));
            }
            self.more().await?;
        }
    }

    /// Skips frames until `wanted` is found.
    pub async fn find<T>(&mut self, mut wanted: impl FnMut(ServerFrame) -> Option<T>) -> T {
        loop {
            let (first, payload) = self.frame().await.expect("a frame");
            assert_ne!(first, CLOSE, "{payload:?}");
            if first == TEXT {
                let text = String::from_utf8(payload).unwrap();
                let frame = codec::read_server(&text).unwrap().expect("a frame of this version");
                if let Some(found) = wanted(frame) {
                    return found;
                }
            }
        }
    }

    /// Skips frames until the connection is over.
    pub async fn closed(&mut self) -> End {
        while let Some((first, payload)) = self.frame().await {
            if let (CLOSE, [high, low, reason @ ..]) = (first, &payload[..]) {
                let reason = String::from_utf8(reason.to_vec()).unwrap();
                return End::Close(u16::from_be_bytes([*high, *low]), reason);
            }
            if first == CLOSE {
                return End::Close(1005, String::new());
            }
        }
        End::Gone
    }

    /// As [`Self::closed`], if it comes to that within a round.
    pub async fn closed_soon(&mut self) -> Option<End> {
        timeout(Duration::from_millis(20), self.closed()).await.ok()
    }

    /// Ends it by a reset.
    pub fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }

    async fn more(&mut self) -> Option<()> {
        let mut bytes = [0; 16 * 1024];
        let read = timeout(PATIENCE, self.stream.read(&mut bytes)).await;
        match read.expect("something in time") {
            Ok(0) | Err(_) => None,
            Ok(n) => {
                self.read.extend(&bytes[..n]);
                Some(())
            }
        }
    }
}

/// A server frame's first byte, where its payload begins, and how long that is.
fn framing(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    Some(match second {
        126 => (first, 4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => {
            let length = u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?);
            (first, 10, usize::try_from(length).ok()?)
        }
        length => (first, 2, usize::from(length)),
    })
}

/// The room that the server's own page has first.
pub async fn lobby(address: SocketAddr) -> RoomId {
    let mut raw = Raw::upgraded(address).await;
    raw.write(&said(&ClientFrame::Hello(hello()))).await.unwrap();
    let live = |frame| match frame {
        ServerFrame::Live(live) => Some(live.room),
        _ => None,
    };
    raw.find(live).await
}
