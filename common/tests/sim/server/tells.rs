//! What everybody is told of what has become durable, and of who is here.

use super::Server;
use crate::engine::{Done, End};
use holdfast_common::{
    codec,
    fanout::{self, Item, Key, Note, Target},
    frame::{Presence, Rooms, ServerFrame},
    id::{EventId, RoomId},
    session::Input,
    storage::{Appended, Fault, Membership, NewEntry, Verdict},
    time::{Instant, Timestamp},
};

impl Server {
    /// Tells what became of a job that is on the disk by now.
    pub(super) fn finish(&mut self, now: Instant) {
        let Some((end, done)) = self.engine.answer() else {
            return;
        };
        match done {
            Done::Greeted { result, .. } => {
                self.answer(
                    end,
                    Input::Greeted {
                        now: Timestamp(now.0.saturating_add_signed(self.wall)),
                        result,
                    },
                );
            }
            Done::Appended { room, n, appended, .. } => self.appended(end, room, n, appended),
            Done::Stored { room, kind, about, result } => {
                if let Ok((Some(value), _)) = &result {
                    let value = value.clone();
                    let text = codec::write_server(&ServerFrame::Latest(value));
                    self.fanout.tell(Target::Room(room), Note::Registers(room), &text);
                }
                let result = result.map(|(_, stands)| stands).map_err(|fault| fault.code());
                self.answer(end, Input::Stored { room, kind, about, result });
            }
            Done::Membership { req, room, join, result } => {
                let person = self.wires.get(&end).and_then(|wire| wire.session.person());
                let change = match &result {
                    Ok(Membership::Done(info)) if join => {
                        Some(Item::Member(Box::new(info.clone())))
                    }
                    Ok(Membership::Done(_)) => Some(Item::NotMember(room)),
                    _ => None,
                };
                let key = self.wires.get(&end).map(|wire| wire.key);
                if let (Some(person), Some(change)) = (person, change) {
                    self.fanout.membership(key, person, &change);
                }
                if let Some(key) = key {
                    self.fanout.answer(key, Item::Membership { req, room, join, result });
                }
            }
        }
    }

    fn appended(&mut self, end: End, room: RoomId, n: u64, appended: Appended) {
        let decided = matches!(appended, Appended::Decided { .. } | Appended::Again(_));
        if decided && self.trouble.mute {
            self.trouble.muted += 1;
            return;
        }
        if decided && self.trouble.unknown > 0 {
            self.trouble.unknown -= 1;
            let appended = Appended::Fault(Fault::Unknown("nobody knows".to_owned()));
            return self.answer(end, Input::Appended { room, n, appended });
        }
        match &appended {
            Appended::Decided { entry: Some(new), .. } => self.publish(end, new),
            Appended::Decided { verdict, entry: None, .. } | Appended::Again(verdict) => {
                if let Verdict::Ack { offset, .. } = verdict {
                    self.fanout.stands(room, *offset);
                }
            }
            _ => {}
        }
        self.answer(end, Input::Appended { room, n, appended });
    }

    /// An entry by another way than these wires, as an HTTP caller's. It can become durable without
    /// being published: the server died between.
    pub fn service(&mut self, room: RoomId, id: EventId, data: String, published: bool) {
        let Some(new) = self.engine.disk.service(room, id, data) else {
            return;
        };
        self.ledger.entered(&new, &self.engine.disk);
        if published {
            self.publish(0, &new);
        }
    }

    /// A room is deleted: its followers' memberships are over, and everyone is told.
    pub fn delete(&mut self, room: RoomId) {
        let info = self.engine.disk.delete(room);
        self.ledger.deleted(room);
        let text = codec::write_server(&ServerFrame::Rooms(Rooms { rooms: vec![info] }));
        self.fanout.tell(Target::Everyone, Note::Directory, &text);
        self.fanout.room_gone(room);
    }

    fn publish(&mut self, end: End, new: &NewEntry) {
        let entry = codec::write_entry(&new.entry);
        let text = codec::entries_frame(new.room, new.epoch, [entry.as_str()]);
        self.fanout.publish(new.room, new.entry.offset, &text);
        let Some(created) = &new.created else {
            return;
        };
        let member = Item::Member(Box::new(created.clone()));
        self.fanout.membership(None, new.entry.from.id, &member);
        let mut info = created.clone();
        info.joined = false;
        let text = codec::write_server(&ServerFrame::Rooms(Rooms { rooms: vec![info] }));
        let others = self.wires.iter().filter(|(other, _)| **other != end);
        let keys: Vec<Key> = others.map(|(_, wire)| wire.key).collect();
        for key in keys {
            self.fanout.tell(Target::Connection(key), Note::Directory, &text);
        }
    }

    /// Tells a room who came or left.
    pub(super) fn told(&mut self, key: Key, change: fanout::Presence) {
        let (room, all, came, left) = match change {
            fanout::Presence::Came(room, author) => (room, false, vec![author], Vec::new()),
            fanout::Presence::Left(room, person) => (room, false, Vec::new(), vec![person]),
            fanout::Presence::Turned(room) => (room, true, self.fanout.here(room), Vec::new()),
        };
        let frame = ServerFrame::Presence(Presence { room, all, came, left });
        let text = codec::write_server(&frame);
        self.fanout.tell(Target::RoomBut(room, key), Note::Presence(room), &text);
    }

    pub(super) fn everyone_in(&self, room: RoomId) -> String {
        let (came, left) = (self.fanout.here(room), Vec::new());
        codec::write_server(&ServerFrame::Presence(Presence { room, all: true, came, left }))
    }
}
