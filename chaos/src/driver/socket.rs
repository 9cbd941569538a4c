//! A browser's socket: what is sent never waits, and what is given up is forgotten.

use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use std::net::SocketAddr;
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{Duration, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Message,
        client::IntoClientRequest,
        protocol::{CloseFrame, WebSocketConfig},
    },
};

type Stream = WebSocketStream<TcpStream>;

/// How long a socket that is closed from here may take to say so.
const CLOSING: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Socket {
    frames: SplitStream<Stream>,
    out: mpsc::UnboundedSender<Message>,
}

/// What comes from a socket.
pub(crate) enum Came {
    Text(String),
    /// Its end, with the close code where there was one.
    End(u16),
}

pub(crate) async fn open(address: SocketAddr, subprotocol: &str) -> Option<Socket> {
    let stream = TcpStream::connect(address).await.ok()?;
    let _ = stream.set_nodelay(true);
    let mut request = format!("ws://{address}/ws").into_client_request().ok()?;
    let protocol = subprotocol.parse().ok()?;
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let config = WebSocketConfig::default().read_buffer_size(16 * 1024);
    let (stream, _) = client_async_with_config(request, stream, Some(config)).await.ok()?;
    let (sink, frames) = stream.split();
    let (out, sending) = mpsc::unbounded_channel();
    tokio::spawn(send(sink, sending));
    Some(Socket { frames, out })
}

/// Sends until the socket is dropped or has failed; whether it failed is the reading side's to hear.
async fn send(mut sink: SplitSink<Stream, Message>, mut sending: mpsc::UnboundedReceiver<Message>) {
    while let Some(message) = sending.recv().await {
        let last = message.is_close();
        let sent = tokio::select! {
            sent = sink.send(message) => sent,
            // Given up with this one under way: a stalled line would keep it for ever.
            () = given_up(&sending) => return,
        };
        if sent.is_err() || last {
            return;
        }
    }
}

async fn given_up(sending: &mpsc::UnboundedReceiver<Message>) {
    while !sending.is_closed() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

impl Socket {
    pub(crate) fn send(&self, text: String) {
        let _ = self.out.send(Message::text(text));
    }

    /// Says goodbye, if the line lets it, and expects nothing more.
    pub(crate) fn close(self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        let _ = self.out.send(Message::Close(Some(frame)));
        let Self { frames, out } = self;
        tokio::spawn(async move {
            let _ = timeout(CLOSING, frames.for_each(|_| std::future::ready(()))).await;
            drop(out);
        });
    }
}

/// What comes next; never, where there is no socket.
pub(crate) async fn next(socket: &mut Option<Socket>) -> Came {
    let Some(socket) = socket else { return std::future::pending().await };
    loop {
        match socket.frames.next().await {
            Some(Ok(Message::Text(text))) => return Came::Text(text.as_str().to_owned()),
            Some(Ok(Message::Close(frame))) => {
                return Came::End(frame.map_or(0, |frame| frame.code.into()));
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Came::End(0),
        }
    }
}
