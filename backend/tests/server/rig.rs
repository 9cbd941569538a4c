//! A server on a free port, and a plain HTTP client that shows exactly what came back.

use axum::Router;
use holdfast_backend::{
    app::{Builder, Handle},
    domain::{chat::ChatRules, work::WorkRules},
    engine::{Engine, memory::MemoryEngine, sqlite::SqliteEngine},
};
use holdfast_common::{chat, id::RoomId, limits::Limits, work};
use serde_json::Value;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Longer than anything here takes; a test that waits so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Rig {
    pub address: SocketAddr,
    pub handle: Handle,
    pub engine: Arc<dyn Engine>,
    pub lobby: RoomId,
    /// Kept for as long as the database in it is open.
    _folder: Option<tempfile::TempDir>,
}

impl Rig {
    pub async fn memory() -> Self {
        Self::with(Limits::default()).await
    }

    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = SqliteEngine::open(folder.path()).unwrap();
        Self::start(Arc::new(engine), Some(folder), |builder| builder).await
    }

    /// In memory, with other limits than the usual ones.
    pub async fn with(limits: Limits) -> Self {
        let build = |builder: Builder| builder.limits(limits);
        Self::start(Arc::new(MemoryEngine::new()), None, build).await
    }

    pub async fn start(
        engine: Arc<dyn Engine>,
        folder: Option<tempfile::TempDir>,
        build: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let builder = Builder::new(Arc::clone(&engine))
            .namespace(chat::Serve(ChatRules))
            .namespace(work::Serve(WorkRules))
            .queues(work::queues())
            .welcome_room("chat", chat::LOBBY)
            .page();
        let (router, handle) = build(builder).build().await.unwrap();
        let address = listen(router).await;
        let lobby = handle.room("chat", chat::LOBBY).await.unwrap();
        Self { address, handle, engine, lobby, _folder: folder }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nhost: {}\r\n", self.address), b"").await
    }

    /// Posts JSON to the lobby's log, or to another address.
    pub async fn post(&self, path: &str, more: &str, body: &str) -> Answer {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n{more}",
            self.address,
            body.len()
        );
        self.ask(&head, body.as_bytes()).await
    }

    /// Sends a request whose head is written out but for its end, and reads the answer.
    pub async fn ask(&self, head: &str, body: &[u8]) -> Answer {
        ask(self.address, head, body).await
    }
}

/// See [`Rig::ask`].
pub async fn ask(address: SocketAddr, head: &str, body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("{head}connection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // A server that refuses by the head alone may close before it has read all of the body.
    let _ = stream.write_all(body).await;
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    let read = read.expect("an answer in time");
    assert!(read.is_ok() || !bytes.is_empty(), "{read:?}");
    Answer::parse(&bytes)
}

pub async fn listen(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n").expect("a whole head");
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap());
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { status, headers, body: bytes[end + 4..].to_vec() }
    }

    /// A header's value, empty where it is not there.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(it, _)| it == name);
        found.map_or("", |(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("JSON, not {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Asserts that it is a problem with this status and code.
    pub fn is(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json()["code"], code);
    }
}

/// Runs each test with the engine in memory and with SQLite.
macro_rules! on_every_engine {
    ($($(#[$attribute:meta])* async fn $name:ident($rig:ident) $body:block)*) => {
        $(async fn $name($rig: crate::rig::Rig) $body)*
        mod memory {
            $($(#[$attribute])* #[tokio::test] async fn $name() {
                super::$name(crate::rig::Rig::memory().await).await;
            })*
        }
        mod sqlite {
            $($(#[$attribute])* #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::rig::Rig::sqlite().await).await;
            })*
        }
    };
}
pub(crate) use on_every_engine;
