//! Small servers that have one caller.

use std::{
    net::{SocketAddr, TcpListener as StdListener},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Takes one request.
pub(super) struct Receiver {
    pub(super) at: SocketAddr,
    had: JoinHandle<String>,
}

impl Receiver {
    /// Says this once it has the request, and no more.
    pub(super) async fn answering(answer: Vec<u8>) -> Self {
        let then = async move |mut stream: TcpStream| {
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        };
        Self::of(then).await
    }

    /// Does this once it has the request.
    pub(super) async fn of<F>(then: impl FnOnce(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let had = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let had = request(&mut stream).await;
            then(stream).await;
            had
        });
        Self { at, had }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }

    /// The request, once all was done.
    pub(super) async fn had(self) -> String {
        let had = tokio::time::timeout(Duration::from_secs(30), self.had).await;
        had.expect("the receiver ends").unwrap()
    }
}

/// A listener that answers nobody. Whether somebody came can be asked of it.
pub(super) fn quiet() -> (SocketAddr, StdListener) {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    (listener.local_addr().unwrap(), listener)
}

/// Reads one request, by its `content-length`.
pub(super) async fn request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut had = Vec::new();
    loop {
        assert_ne!(stream.read_buf(&mut had).await.unwrap(), 0, "the request ends early");
        let text = String::from_utf8_lossy(&had);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.unwrap().parse().unwrap() {
                return text.into_owned();
            }
        }
    }
}
