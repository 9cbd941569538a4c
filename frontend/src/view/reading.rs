//! What has been read: the marker moves when a person looks at the newest event.

use super::View;
use crate::browser;
use holdfast_common::{chat::ReadMarker, cursor::Offset, id::RoomId};
use leptos::prelude::*;
use std::time::Duration;

/// How long the newest event is looked at before it counts as read.
const LOOKED: Duration = Duration::from_millis(250);

impl View {
    /// The newest event is on the screen: it counts as read once it was looked at for a moment.
    pub fn reading(self) {
        let Some(room) = self.open.room.get_untracked() else {
            return;
        };
        if self.newest_unread(room).is_none() || self.open.reading.get_value() {
            return;
        }
        self.open.reading.set_value(true);
        let read = move || {
            self.open.reading.set_value(false);
            let still = self.open.room.get_untracked() == Some(room);
            if let Some(offset) = self.newest_unread(room)
                && still
                && browser::attended()
            {
                self.with_link(|link| link.set_latest(room, &ReadMarker { offset }));
            }
        };
        set_timeout(read, LOOKED);
    }

    fn newest_unread(self, room: RoomId) -> Option<Offset> {
        self.store.with_value(|store| {
            let room = store.rooms.get(room)?;
            let newest = room.timeline.last()?;
            (newest > room.read && room.joined()).then_some(newest)
        })
    }
}
