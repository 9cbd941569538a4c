//! The server by HTTP: one request on a connection of its own, past every fault of the line.

use crate::Outcome;
use serde_json::Value;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// A line that swallows everything ends nothing.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Outcome<Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> Outcome<Answer> {
    ask(address, &format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n"), "").await
}

pub(crate) async fn post(address: SocketAddr, path: &str, body: &str) -> Outcome<Answer> {
    post_with(address, path, "", body).await
}

/// The same with more headers.
pub(crate) async fn post_with(
    address: SocketAddr,
    path: &str,
    more: &str,
    body: &str,
) -> Outcome<Answer> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n{more}",
        body.len()
    );
    ask(address, &head, body).await
}

async fn ask(address: SocketAddr, head: &str, body: &str) -> Outcome<Answer> {
    let whole = async {
        let mut stream = TcpStream::connect(address).await?;
        let text = format!("{head}connection: close\r\n\r\n{body}");
        stream.write_all(text.as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        Ok::<_, std::io::Error>(bytes)
    };
    let bytes = timeout(PATIENCE, whole).await.map_err(|_| format!("no answer to {head}"))??;
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n").ok_or("half an answer")?;
    let head = std::str::from_utf8(&bytes[..end])?.to_ascii_lowercase();
    let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.ok_or("an answer of no length")?.trim().parse()?;
    let body = bytes[end + 4..].to_vec();
    // A line that is cut ends an answer as a server does.
    if body.len() == length { Ok(Answer { status, body }) } else { Err("half an answer".into()) }
}
