//! The socket's side of a connection: writing with a time limit, and what an error in reading means.

use super::{LINGER, close_frame};
use axum::extract::ws::Message;
use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use holdfast_common::error::Code;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tungstenite::error::{CapacityError, Error as Fault};

/// A WebSocket, or what stands for one in a test.
pub(crate) trait Socket:
    Stream<Item = Result<Message, axum::Error>> + Sink<Message, Error = axum::Error> + Send + Unpin
{
}

impl<S> Socket for S where
    S: Stream<Item = Result<Message, axum::Error>>
        + Sink<Message, Error = axum::Error>
        + Send
        + Unpin
{
}

/// Why a connection is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The peer has gone, and hears nothing any more.
    Gone,
    /// It is to be closed with this code.
    By(Code),
    /// As `By`, and nothing more can be read from it.
    Deaf(Code),
}

/// A write that took so long had to wait for the peer.
const WAITED: Duration = Duration::from_secs(1);

/// The socket, and whether something waits in its buffer.
pub(super) struct Wire<S> {
    socket: S,
    patience: Duration,
    dirty: bool,
    /// The peer has taken something for which a write had to wait.
    taken: bool,
}

impl<S: Socket> Wire<S> {
    /// `patience` is how long one write may take.
    pub(super) fn new(socket: S, patience: Duration) -> Self {
        Self { socket, patience, dirty: false, taken: false }
    }

    /// Puts a message into the buffer, and writes what does not fit.
    pub(super) async fn feed(&mut self, message: Message) -> Result<(), Ended> {
        self.dirty = true;
        self.taken |= within(self.patience, self.socket.feed(message)).await? >= WAITED;
        Ok(())
    }

    /// Writes what waits.
    pub(super) async fn flush(&mut self) -> Result<(), Ended> {
        if std::mem::take(&mut self.dirty) {
            self.taken |= within(self.patience, self.socket.flush()).await? >= WAITED;
        }
        Ok(())
    }

    /// Whether a write has waited for the peer, which has gone on since. Nothing was read meanwhile, and
    /// the peer is there.
    pub(super) fn taken(&mut self) -> bool {
        std::mem::take(&mut self.taken)
    }

    /// A message that is here already. Where a deadline has come as well it goes first, so that nobody is
    /// taken for silent because the server was late to look.
    pub(super) fn arrived(&mut self) -> Option<Result<Message, Ended>> {
        self.next().now_or_never()
    }

    /// The next message.
    pub(super) async fn next(&mut self) -> Result<Message, Ended> {
        match self.socket.next().await {
            None => Err(Ended::Gone),
            Some(Ok(message)) => {
                // Its pong waits in the buffer now. It has to leave before more is read, or the pongs
                // of a peer that does not read them would gather there.
                self.dirty |= matches!(message, Message::Ping(_));
                Ok(message)
            }
            Some(Err(error)) => Err(meaning(error)),
        }
    }

    /// Closes the connection so that the peer has a chance to read why. Returns whether all that was
    /// fed before is written.
    pub(super) async fn end(mut self, ended: Ended) -> bool {
        let (code, hears) = match ended {
            // If it has closed, its close is answered while the rest is read.
            Ended::Gone => {
                self.finish().await;
                return false;
            }
            Ended::By(code) => (code, true),
            Ended::Deaf(code) => (code, false),
        };
        let said = timeout(LINGER, self.socket.send(close_frame(code))).await;
        // What a peer was too slow for was never put into the buffer.
        if !matches!(said, Ok(Ok(()))) || code == Code::TooSlow {
            return false;
        }
        // Who has gone silent will not answer.
        if code == Code::Silent {
            return true;
        }
        if hears {
            self.finish().await;
        } else {
            // Dropping a socket with unread bytes in it resets the connection, and the close that
            // was just sent could be lost with it.
            tokio::time::sleep(LINGER / 2).await;
        }
        true
    }

    /// Reads until the peer has closed.
    async fn finish(&mut self) {
        let rest = async { while let Some(Ok(_)) = self.socket.next().await {} };
        let _ = timeout(LINGER, rest).await;
    }
}

/// Returns how long it took.
async fn within(
    patience: Duration,
    write: impl Future<Output = Result<(), axum::Error>>,
) -> Result<Duration, Ended> {
    let begun = Instant::now();
    match timeout(patience, write).await {
        Ok(Ok(())) => Ok(begun.elapsed()),
        Ok(Err(_)) => Err(Ended::Gone),
        Err(_) => Err(Ended::By(Code::TooSlow)),
    }
}

fn meaning(error: axum::Error) -> Ended {
    match error.into_inner().downcast_ref::<Fault>() {
        Some(Fault::Capacity(CapacityError::MessageTooLong { .. })) => {
            Ended::Deaf(Code::FrameTooLarge)
        }
        Some(Fault::Utf8(_) | Fault::Protocol(_) | Fault::Capacity(_)) => {
            Ended::Deaf(Code::BadFrame)
        }
        _ => Ended::Gone,
    }
}

#[cfg(test)]
mod tests;
