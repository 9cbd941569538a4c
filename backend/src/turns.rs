//! Changes of who is in a room, one after the other: they are told in the order in which they were
//! made, so that what somebody hears last is how it is.

use holdfast_common::id::RoomId;
use tokio::sync::{Mutex, MutexGuard};

/// Rooms share turns, so that there are not as many as rooms; the sharing costs a wait now and then.
const TURNS: usize = 64;

/// The turns.
pub(crate) struct Turns([Mutex<()>; TURNS]);

impl Turns {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }

    /// Waits for a turn. It is held over the change at the engine and the telling at the hub.
    pub(crate) async fn of(&self, room: RoomId) -> MutexGuard<'_, ()> {
        // The last byte of an id is random.
        let [.., last] = *room.as_bytes();
        self.0[usize::from(last) % TURNS].lock().await
    }
}
