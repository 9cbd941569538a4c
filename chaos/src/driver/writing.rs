//! What a client writes: messages of all lengths, and now and then it takes one back.

use super::Driver;
use crate::{chance::Chance, clock, ledger::Emitted};
use holdfast_common::{
    chat::{Delete, Message, RoomCreated},
    client::{Held, Input},
    id::{EventId, RoomId},
};

/// Events that wait in an outbox at most while there is more to write: two windows.
const WAITING: usize = 128;

/// Messages that stand behind a new room in its writer's outbox.
pub(crate) const BEHIND: usize = 3;

/// How a client writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Style {
    /// Mostly a line, seldom a page; now and then something is taken back, and then the server
    /// empties its log within a second.
    #[default]
    Usual,
    /// Pages, and nothing is taken back: the server's log grows until it begins anew.
    Pages,
}

/// What is still to be written, and what may be taken back.
#[derive(Debug, Default)]
pub(super) struct Writing {
    rooms: Vec<RoomId>,
    left: u64,
    style: Style,
    written: u64,
    own: Vec<(RoomId, EventId)>,
}

impl Writing {
    pub(super) fn more(&mut self, rooms: Vec<RoomId>, more: u64, style: Style) {
        self.rooms = rooms;
        self.style = style;
        self.left += more;
    }

    pub(super) fn left(&self) -> u64 {
        self.left
    }
}

impl Driver {
    /// Fills the outbox up.
    pub(super) fn write_on(&mut self) {
        while self.writing.left > 0 && self.client.pending() < WAITING {
            self.writing.left -= 1;
            self.writing.written += 1;
            if self.writing.style == Style::Usual && self.chance.percent(2) {
                self.delete();
            } else {
                let room = *self.chance.of(&self.writing.rooms);
                self.say(room);
            }
        }
    }

    pub(super) fn create(&mut self, room: RoomId, name: &str) {
        let id = self.id();
        let event = RoomCreated { name: name.to_owned() };
        self.emit(Held::new(id, room, clock::wall(), &event));
        for _ in 0..BEHIND {
            self.say(room);
        }
    }

    fn say(&mut self, room: RoomId) {
        let length = length(self.writing.style, &mut self.chance);
        let text = format!("{} of {} {}", self.writing.written, self.n, "x".repeat(length));
        let id = self.id();
        self.writing.own.push((room, id));
        self.emit(Held::new(id, room, clock::wall(), &Message { text }));
    }

    /// Takes one of the own messages back, each once.
    pub(super) fn delete(&mut self) {
        if self.writing.own.is_empty() {
            return;
        }
        let place = self.chance.index(self.writing.own.len());
        let (room, target) = self.writing.own.swap_remove(place);
        let id = self.id();
        self.ledger.deletes(target);
        self.emit(Held::new(id, room, clock::wall(), &Delete { target }));
    }

    fn id(&mut self) -> EventId {
        EventId::new(clock::wall().0, &self.chance.bytes())
    }

    /// Into the outbox: from here on it has to arrive.
    fn emit(&mut self, event: Held) {
        let (room, data) = (event.room, event.data.clone());
        self.ledger.emitted(event.id, Emitted { by: self.n, room, data });
        let row = self.database.add(event);
        self.feed(Input::Added(row));
    }
}

fn length(style: Style, chance: &mut Chance) -> usize {
    let long = style == Style::Pages || chance.percent(4);
    chance.index(if long { 7_900 } else { 160 })
}
