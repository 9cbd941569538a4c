//! `GET /ws`: the upgrade, and what is refused with a coded close that a page can understand.

mod connection;
mod lanes;
mod outputs;
mod turn;
mod wire;
mod work;

use crate::{app::Shared, clock, place::Place, problem::Problem};
use axum::{
    Extension,
    extract::{
        State,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, rejection},
    },
    http::HeaderValue,
    response::{IntoResponse, Response},
};
use futures_util::{FutureExt, SinkExt};
use holdfast_common::{
    error::Code,
    frame::{SUBPROTOCOL, work as work_frame},
};
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

/// Small, since ten thousand connections may be idle; a larger frame gets room while it is read.
const READ_BUFFER: usize = 1024;
/// What waits for a connection goes out in writes of about this size. The buffer grows as it is
/// used and never shrinks, so this too is paid by every connection that was once busy.
///
/// It holds less than this and one frame, since the socket takes a frame only when what was too
/// much before has left ([`Wire::feed`](wire::Wire::feed) waits for that). How large a frame is, is
/// bounded where it is made: by [`SLICE_BYTES`](holdfast_common::limits::SLICE_BYTES) and
/// [`PAGE_BYTES`](holdfast_common::limits::PAGE_BYTES), or by one entry; a welcome's by the lanes
/// that a hello may name and [`SLICE_BYTES`](holdfast_common::limits::SLICE_BYTES) of registers.
const WRITE_BUFFER: usize = 4 * 1024;
/// What may wait in the buffer at most. Nothing comes near it; it stands there should that be wrong.
/// It is no tighter, since it ends the connection of whoever is to be told an entry from a time of
/// higher limits, and each one after it: an item of a page is an entry and its change, of 16 MiB
/// each where an operator had set as much.
const WRITE_MOST: usize = 2 * 16 * 1024 * 1024 + 128 * 1024;
/// How often more is taken in before what waits is written, however much more there is.
const ROUNDS: u32 = 64;
/// How long a closing connection waits for its peer's close.
const LINGER: Duration = Duration::from_secs(2);

/// The handler of `GET /ws`.
pub(crate) async fn upgrade(
    State(shared): State<Arc<Shared>>,
    place: Option<Extension<Place>>,
    upgrade: Result<WebSocketUpgrade, rejection::WebSocketUpgradeRejection>,
) -> Response {
    let mut upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(refused) => return Problem::bad_request(refused.body_text()).into_response(),
    };
    let (protocol, spoken) = choose(&upgrade);
    if let Some(protocol) = protocol {
        upgrade.set_selected_protocol(protocol);
    }
    // A frame above the limit is not read: the connection is closed with a code.
    let most = shared.limits.frame_bytes();
    upgrade
        .max_message_size(most)
        .max_frame_size(most)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(WRITE_MOST.max(2 * most))
        .on_upgrade(move |socket| async move {
            match spoken {
                None => refuse(socket, Code::UnsupportedVersion).await,
                Some(_) if place.as_ref().is_some_and(|place| place.is_refused()) => {
                    refuse(socket, Code::Overloaded).await;
                }
                Some(spoken) => serve(socket, shared, spoken).await,
            }
            // Another one may come only now.
            drop(place);
        })
}

/// What a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spoken {
    /// Rooms.
    Rooms,
    /// Jobs.
    Work,
}

/// The subprotocol to answer with, and what that is, if this server speaks it. One that it does not
/// speak is echoed all the same: only then may a browser's page hear why it is closed.
fn choose(upgrade: &WebSocketUpgrade) -> (Option<HeaderValue>, Option<Spoken>) {
    for (name, spoken) in [(SUBPROTOCOL, Spoken::Rooms), (work_frame::SUBPROTOCOL, Spoken::Work)] {
        if upgrade.requested_protocols().any(|it| it == name) {
            return (Some(HeaderValue::from_static(name)), Some(spoken));
        }
    }
    let ours = |it: &&HeaderValue| it.as_bytes().starts_with(b"holdfast");
    let first = upgrade.requested_protocols().find(ours);
    let echoed = first.or_else(|| upgrade.requested_protocols().next());
    (echoed.cloned(), None)
}

async fn serve(socket: WebSocket, shared: Arc<Shared>, spoken: Spoken) {
    let id = match clock::fresh_connection() {
        Ok(id) => id,
        Err(fault) => {
            tracing::error!(%fault, "a connection could not be named");
            return refuse(socket, Code::ServerFault).await;
        }
    };
    shared.metrics.connections_opened.add(1);
    let connection = match spoken {
        Spoken::Rooms => connection::run(socket, Arc::clone(&shared), id).boxed(),
        Spoken::Work => work::run(socket, Arc::clone(&shared), id).boxed(),
    };
    // A panic costs this connection alone; what it held in the hub is given back as it unwinds.
    if AssertUnwindSafe(connection).catch_unwind().await.is_err() {
        shared.metrics.panics.add(1);
        tracing::error!(%id, "a connection ended by a panic");
    }
    shared.metrics.connections_closed.add(1);
}

/// Closes a connection that never was one.
async fn refuse(mut socket: WebSocket, code: Code) {
    if socket.send(close_frame(code)).await.is_ok() {
        let closed = async { while let Some(Ok(_)) = socket.recv().await {} };
        let _ = tokio::time::timeout(LINGER, closed).await;
    }
    let _ = socket.close().await;
}

fn close_frame(code: Code) -> Message {
    Message::Close(Some(CloseFrame {
        code: code.close_number().unwrap_or(Code::ServerFault.number()),
        reason: Utf8Bytes::from_static(code.name()),
    }))
}
