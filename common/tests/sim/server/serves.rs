//! What sessions want done.

use super::{Down, Server};
use crate::engine::{End, Job};
use holdfast_common::{
    codec,
    fanout::{Note, Target},
    frame::{Author, ServerFrame, Signalled},
    id::{PersonId, RoomId},
    session::{Input, Output},
    storage::Fault,
    time::Instant,
};

impl Server {
    pub(super) fn serve(&mut self, now: Instant, end: End, output: Output<String>) {
        let Some(wire) = self.wires.get_mut(&end) else {
            return;
        };
        let (key, person) = (wire.key, wire.session.person());
        match output {
            Output::Send(text) | Output::Pass(text) => self.down(end, Down::Text(text)),
            Output::Ping => self.down(end, Down::Ping),
            Output::Close(code) => {
                self.ledger.counts.add_named("close: ", code.name());
                self.down(end, Down::Close(code));
                self.leave(end);
                if self.wires[&end].alone {
                    self.hang_up(end);
                }
            }
            Output::Greet(hello) => {
                self.fanout.expect(key, hello.person);
                self.ledger.hello(end, &hello);
                wire.rooms = self.engine.disk.logs.len();
                self.engine.put(end, Job::Greet(hello));
            }
            Output::Register { person, run } => {
                self.fanout.register(key, person, run);
                // A room that was made since then may be missing in what was read.
                if wire.rooms != self.engine.disk.logs.len() {
                    self.answer(end, Input::Note(Note::Directory));
                }
            }
            Output::Follow(room) => {
                if let Some(change) = self.fanout.follow(key, room) {
                    self.told(key, change);
                }
                // At once: what is told from now on comes behind it.
                self.tell(now, end, Input::Pass(self.everyone_in(room)));
                let offset = self.fanout.head(room);
                self.tell(now, end, Input::Head { room, offset });
            }
            Output::Unfollow(room) => {
                if let Some(change) = self.fanout.unfollow(key, room) {
                    self.told(key, change);
                }
            }
            Output::Emit(emitting) => self.engine.put(end, Job::Append(emitting)),
            Output::Signal { signal, .. } => {
                let from = Author { id: person.expect("it is greeted"), name: String::new() };
                let data = serde_json::value::RawValue::from_string("{}".to_owned());
                let (ns, kind, data) = (signal.ns, signal.kind, data.expect("it is JSON"));
                let frame = Signalled { ns, room: Some(signal.room), kind, from, data };
                let text = codec::write_server(&ServerFrame::Signal(frame));
                self.fanout.send(Target::RoomBut(signal.room, key), &text);
            }
            Output::Latest { latest, payload } => {
                let person = person.expect("it is greeted");
                self.engine.put(end, Job::Latest { person, latest, payload });
            }
            Output::Presence(room) => self.down(end, Down::Text(self.everyone_in(room))),
            Output::Join { req, room } => self.member(end, person, req, room, true),
            Output::Leave { req, room } => self.member(end, person, req, room, false),
            reading => self.read(end, person, reading),
        }
    }

    /// Reads see what is committed, at once, and are heard later.
    fn read(&mut self, end: End, person: Option<PersonId>, output: Output<String>) {
        let disk = &self.engine.disk;
        let readable = match self.trouble.unread.checked_sub(1) {
            None => Ok(()),
            Some(left) => {
                self.trouble.unread = left;
                self.ledger.counts.add("storage: the server cannot read");
                Err(Fault::Failed("it cannot be read".to_owned()))
            }
        };
        let answer = match output {
            Output::Directory => {
                let key = self.wires[&end].key;
                self.fanout.lists(key, true);
                let person = person.expect("it is greeted");
                Input::Directory(readable.map(|()| disk.rooms(person)))
            }
            Output::Registers(query) => {
                let result = readable.map(|()| disk.registers(&query, 3));
                Input::Registers { query, result }
            }
            Output::Slice { room, after } => {
                let result = readable.map(|()| disk.slice(room, after, 16));
                Input::Sliced { room, after, result }
            }
            Output::Page { req, room, before, limit, since } => {
                let result = readable.map(|()| disk.page(room, before, limit, since));
                Input::Paged { req, room, result }
            }
            Output::Find { req, room, ids } => {
                let result = readable.map(|()| disk.find(room, &ids));
                Input::Found { req, room, result }
            }
            _ => unreachable!("only reads come here"),
        };
        self.answer(end, answer);
    }

    fn member(&mut self, end: End, person: Option<PersonId>, req: u64, room: RoomId, join: bool) {
        let person = person.expect("it is greeted");
        self.engine.put(end, Job::Member { person, req, room, join });
    }
}
