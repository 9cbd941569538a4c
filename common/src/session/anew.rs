//! What found no room in the connection's queue, told anew as it is by now: who is in a room,
//! registers, the list of rooms. Each is a short read among those of logs, one after the other and
//! at the reader's own pace.

use super::{Output, Session};
use crate::{
    fanout::Note,
    frame::{Left, RoomInfo, Rooms, ServerFrame},
    id::RoomId,
    storage::{Fault, Registers, RegistersQuery},
};
use std::collections::BTreeSet;

/// Rooms in one frame of the directory.
const DIRECTORY_CHUNK: usize = 100;

impl<B> Session<B> {
    /// Something was dropped. Before the welcome nothing was there to be missed.
    pub(super) fn note(&mut self, note: Note) {
        if self.me.is_some() {
            match note {
                Note::Behind(room) => self.behind(room),
                note => self.reads.want(note),
            }
        }
    }

    /// What is to be asked for a note whose turn it is; nothing where the room is followed no more.
    pub(super) fn anew(&mut self, note: Note) -> Option<Output<B>> {
        let after = self.reads.after.take();
        let me = self.me.as_ref()?.author.id;
        if note.room().is_some_and(|room| !self.rooms.contains_key(&room)) {
            return None;
        }
        let (room, person) = match note {
            Note::Behind(room) => return self.slice(room),
            Note::Presence(room) => return Some(Output::Presence(room)),
            Note::Directory => {
                self.reads.under_way = true;
                self.reads.ended = Some(BTreeSet::new());
                self.reads.seeking = std::mem::take(&mut self.reads.sought);
                return Some(Output::Directory);
            }
            Note::OwnRegisters(room) => (room, Some(me)),
            Note::Registers(room) => (room, None),
        };
        self.reads.under_way = true;
        Some(Output::Registers(RegistersQuery { room, person, after }))
    }

    /// The read may be older than the last change that was told, so whether the person is a member
    /// is said as it was told here. A membership that was not told begins, if none has ended
    /// meanwhile: the room was made by an event whose append nobody could tell the outcome of.
    ///
    /// What has ended meanwhile may be a deleted room that this list still has: it is left out, and
    /// looked for once more.
    pub(super) fn directory(&mut self, result: Result<Vec<RoomInfo>, Fault>) {
        self.reads.under_way = false;
        let ended = self.reads.ended.take().unwrap_or_default();
        let mut rooms = match result {
            Ok(rooms) => rooms,
            Err(fault) => return self.close(fault.code()),
        };
        let all = rooms.len();
        rooms.retain(|info| !ended.contains(&info.room) || self.rooms.contains_key(&info.room));
        if rooms.len() < all {
            self.reads.want(Note::Directory);
        }
        let mut begin = Vec::new();
        for info in &mut rooms {
            let followed = self.rooms.contains_key(&info.room);
            if info.joined && !info.gone && !followed {
                begin.push(info.clone());
            } else {
                info.joined = followed;
            }
        }
        self.list(&rooms);
        for info in begin {
            self.begin(&info);
        }
        for room in std::mem::take(&mut self.reads.seeking) {
            if !self.rooms.contains_key(&room) {
                self.send(&ServerFrame::Left(Left { req: None, room }));
            }
        }
    }

    /// An event stands in the room, and its writer waits for the entry. Where the room is not followed
    /// here, the list of rooms says whether it should be: it may have been made by an event whose
    /// outcome nobody could tell. If not, as of a room that was deleted meanwhile, it is said to be left.
    pub(super) fn seek(&mut self, room: RoomId) {
        if !self.rooms.contains_key(&room) {
            self.reads.sought.insert(room);
            self.reads.want(Note::Directory);
        }
    }

    /// Tells rooms, in frames of a moderate size.
    pub(super) fn list(&mut self, rooms: &[RoomInfo]) {
        for chunk in rooms.chunks(DIRECTORY_CHUNK) {
            self.send(&ServerFrame::Rooms(Rooms { rooms: chunk.to_vec() }));
        }
    }

    pub(super) fn registers(&mut self, query: RegistersQuery, result: Result<Registers, Fault>) {
        let RegistersQuery { room, person, .. } = query;
        self.reads.under_way = false;
        let Registers { values, rest } = match result {
            Ok(part) => part,
            Err(fault) => return self.close(fault.code()),
        };
        if !self.rooms.contains_key(&room) {
            return;
        }
        for value in values {
            self.send(&ServerFrame::Latest(value));
        }
        if rest.is_some() {
            self.reads.after = rest;
            let note = person.map_or(Note::Registers(room), |_| Note::OwnRegisters(room));
            self.reads.waiting.push_front(note);
        }
    }
}
