//! One WebSocket. A new connection gets a new one; what comes late from an old one goes nowhere.

use futures_util::{Sink, Stream};
use gloo_net::websocket::{Message, State, WebSocketError, futures::WebSocket};
use std::{
    cell::RefCell,
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};
use wasm_bindgen_futures::spawn_local;

/// What a socket does.
#[derive(Debug)]
pub(super) enum SocketEvent {
    Opened,
    Text(String),
    Closed {
        /// The close code; 0 where there was none.
        code: u16,
    },
}

/// An open socket. Dropping it closes it.
pub(super) struct Socket(Rc<RefCell<Option<WebSocket>>>);

impl Socket {
    /// Begins to open one that speaks this protocol. `None` where the browser refuses the address.
    pub(super) fn open(
        url: &str,
        protocol: &str,
        heard: impl Fn(SocketEvent) + 'static,
    ) -> Option<Self> {
        let socket = WebSocket::open_with_protocol(url, protocol).ok()?;
        let socket = Rc::new(RefCell::new(Some(socket)));
        spawn_local(listen(socket.clone(), heard));
        Some(Self(socket))
    }

    /// Hands a text to the browser. Whether it leaves is told by acks alone: on a dead socket
    /// nothing fails here.
    pub(super) fn send(&self, text: String) {
        if let Some(socket) = self.0.borrow_mut().as_mut() {
            // It fails while the socket is closing; the close event follows.
            let _ = Pin::new(socket).start_send(Message::Text(text));
        }
    }

    pub(super) fn close(self, code: u16) {
        if let Some(socket) = self.0.take() {
            // An unfit code would be refused; dropping the socket closes it all the same.
            let _ = socket.close(Some(code), None);
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.0.take();
    }
}

type Shared = Rc<RefCell<Option<WebSocket>>>;

async fn listen(socket: Shared, heard: impl Fn(SocketEvent)) {
    // Ready when it has left the connecting state, whichever way.
    poll_fn(|cx| poll(&socket, cx, |socket, cx| socket.poll_ready(cx).map(Some))).await;
    let state = socket.borrow().as_ref().map(WebSocket::state);
    if matches!(state, Some(State::Open)) {
        heard(SocketEvent::Opened);
    }
    while let Some(next) = poll_fn(|cx| poll(&socket, cx, Stream::poll_next)).await {
        match next {
            Ok(Message::Text(text)) => heard(SocketEvent::Text(text)),
            // The protocol has none; it reads as a frame that is no frame.
            Ok(Message::Bytes(_)) => heard(SocketEvent::Text(String::new())),
            Err(WebSocketError::ConnectionClose(event)) => {
                let code = event.code;
                heard(SocketEvent::Closed { code });
            }
            Err(_) => {} // The close event follows.
        }
    }
}

/// Polls a socket that may have been given up meanwhile.
fn poll<T>(
    socket: &Shared,
    cx: &mut Context<'_>,
    poll: impl FnOnce(Pin<&mut WebSocket>, &mut Context<'_>) -> Poll<Option<T>>,
) -> Poll<Option<T>> {
    match socket.borrow_mut().as_mut() {
        Some(socket) => poll(Pin::new(socket), cx),
        None => Poll::Ready(None),
    }
}
