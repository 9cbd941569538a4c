//! The list of rooms, and names to rooms.

use super::{Connection, Room, Store};
use holdfast_common::{chat::Chat, cursor::Offset, event::Namespace, id::RoomId};

/// What an inbox is called here.
pub const INBOX: &str = "Inbox";

/// A room in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomLine {
    /// The room.
    pub id: RoomId,
    /// Its name.
    pub name: String,
    /// Whether the person is a member.
    pub joined: bool,
    /// Whether it was deleted.
    pub gone: bool,
    /// Whether it is the person's inbox.
    pub inbox: bool,
    /// Whether the server does not know it yet.
    pub new: bool,
    /// Whether there is something of it to be shown.
    pub held: bool,
    /// How many unread events there are.
    pub unread: u64,
    /// How many of the person's own events were refused there.
    pub rejected: usize,
}

impl Store {
    /// The rooms that a person is in or could join, by name; the inbox, once there is one, above them.
    #[must_use]
    pub fn lines(&mut self) -> Vec<RoomLine> {
        let rooms = self.rooms.iter().filter(|(_, room)| is_chat(room));
        let lines = rooms.filter_map(|(id, room)| {
            let joined = room.joined();
            let name = self.label(*id, room)?;
            // A deleted room is of interest only to who still has something there.
            let unsettled = self.outbox.of(*id).next().is_some();
            let of_interest = joined || !(room.gone() || room.inbox()) || unsettled;
            of_interest.then_some(())?;
            Some(RoomLine {
                id: *id,
                name,
                joined,
                gone: room.gone(),
                inbox: room.inbox(),
                new: room.info.is_none(),
                held: room.timeline.last().is_some() || unsettled,
                unread: if joined { room.unread } else { 0 },
                rejected: self.outbox.rejected(*id),
            })
        });
        let lines = lines.collect();
        let mut lines = self.names.arrange(lines, self.by_name);
        if let Some(place) = lines.iter().position(|line| line.inbox) {
            let inbox = lines.remove(place);
            lines.insert(0, inbox);
        }
        lines
    }

    /// The person's inbox.
    #[must_use]
    pub fn inbox(&self) -> Option<RoomId> {
        let mut rooms = self.rooms.iter().filter(|(_, room)| is_chat(room));
        rooms.find(|(_, room)| room.inbox() && room.joined()).map(|(id, _)| *id)
    }

    /// The room of this name: one that the server knows, else one that was made here under it. Of
    /// several the person's own comes first, then one that the present server has told of: what is
    /// merely held may be of a server that lost its data, and takes the name from no other.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<RoomId> {
        let rooms = || self.rooms.iter().filter(|(_, room)| is_chat(room) && !room.inbox());
        let known = rooms().filter(|(_, room)| {
            room.info.as_ref().is_some_and(|info| info.name == name && !info.gone)
        });
        let known = known.min_by_key(|(_, room)| (!room.joined(), !room.told));
        let wished = || rooms().find(|(_, room)| room.wished.as_deref() == Some(name));
        let gone = || rooms().find(|(_, room)| room.name() == Some(name));
        let by_id = || name.parse().ok().filter(|id: &RoomId| self.rooms.get(id).is_some());
        let found = known.or_else(wished).or_else(gone);
        found.map(|(id, _)| *id).or_else(by_id)
    }

    /// Whether a room's log is known to end before a place: the server has told how far it goes, and
    /// this far it has come.
    #[must_use]
    pub fn ends_before(&self, room: RoomId, offset: Offset) -> bool {
        let online = self.connection == Connection::Online;
        let live = self.live.contains(&room);
        self.rooms.get(room).filter(|_| online).is_some_and(|room| {
            let head = room.info.as_ref().map_or(0, |info| info.head.offset);
            let cursor = room.cursor.map_or(0, |cursor| cursor.offset);
            (live || (room.told && cursor >= head)) && offset > head.max(cursor)
        })
    }

    /// What a room is called: without a name, by its id while something of it is in the outbox.
    fn label(&self, id: RoomId, room: &Room) -> Option<String> {
        let name = room.name().map(str::to_owned);
        name.or_else(|| self.outbox.of(id).next().map(|_| id.to_string()))
    }
}

/// Rooms of the chat, and inboxes: what is told there has a text, whatever namespace it is of.
fn is_chat(room: &Room) -> bool {
    let info = room.info.as_ref();
    info.is_none_or(|info| info.ns == Chat::NAME || info.inbox)
}
