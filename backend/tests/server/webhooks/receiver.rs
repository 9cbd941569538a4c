//! Somebody else's service: takes requests and answers as it was told to. How it checks a signature is
//! written down here from the specification, apart from the server's own.

use crate::rig::PATIENCE;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

/// Takes requests one by one.
pub struct Receiver {
    pub at: SocketAddr,
    had: mpsc::UnboundedReceiver<Had>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

/// A request.
#[derive(Debug)]
pub struct Had {
    head: String,
    pub body: Vec<u8>,
}

/// The key in a secret as it was shown.
pub fn key_of(secret: &str) -> Vec<u8> {
    STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap()
}

impl Receiver {
    pub async fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// Takes what comes there, and what has come.
    pub fn on(listener: TcpListener) -> Self {
        let at = listener.local_addr().unwrap();
        let (told, had) = mpsc::unbounded_channel();
        let answers = Arc::<Mutex<VecDeque<u16>>>::default();
        let own = Arc::clone(&answers);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let Some(request) = read(&mut stream).await else { continue };
                let status = own.lock().unwrap().pop_front().unwrap_or(204);
                if told.send(request).is_err() {
                    return;
                }
                let head = format!(
                    "HTTP/1.1 {status} Said\r\nlocation: http://{at}/elsewhere\r\n\
                     content-length: 0\r\nconnection: close\r\n\r\n"
                );
                let _ = stream.write_all(head.as_bytes()).await;
            }
        });
        Self { at, had, answers }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook?of=lobby", self.at)
    }

    /// What the next requests are answered; those after them: that all is well.
    pub fn answers(&self, statuses: impl IntoIterator<Item = u16>) {
        self.answers.lock().unwrap().extend(statuses);
    }

    pub async fn next(&mut self) -> Had {
        let had = tokio::time::timeout(PATIENCE, self.had.recv()).await;
        let had = had.expect("a request in time").unwrap();
        assert!(had.head.starts_with("POST /hook?of=lobby HTTP/1.1\r\n"), "{}", had.head);
        had
    }

    pub async fn all(&mut self, count: usize) -> Vec<Had> {
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(self.next().await);
        }
        all
    }

    /// Whether nothing has come that was not looked at.
    pub fn is_quiet(&mut self) -> bool {
        self.had.try_recv().is_err()
    }
}

pub async fn read(stream: &mut TcpStream) -> Option<Had> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let body = &bytes[end + 4..];
        if body.len() >= length.unwrap().parse().unwrap() {
            return Some(Had { head: head + "\r\n", body: body.to_vec() });
        }
    }
}

impl Had {
    pub fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no {name} in {}", self.head))
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// What was said in the room.
    pub fn text(&self) -> String {
        self.json()["data"]["data"]["text"].as_str().unwrap().to_owned()
    }

    pub fn signatures(&self) -> Vec<String> {
        self.header("webhook-signature").split(' ').map(str::to_owned).collect()
    }

    /// `v1,` and base64 of HMAC-SHA256 of the id, the seconds and the body, with full stops between.
    pub fn signed_by(&self, key: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        let (id, seconds) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        assert!(seconds.parse::<u64>().unwrap() > 1_700_000_000, "{seconds}");
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(seconds.as_bytes());
        mac.update(b".");
        mac.update(&self.body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}
