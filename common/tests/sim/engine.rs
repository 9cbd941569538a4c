//! The server's engine as a model: jobs wait, are carried out together, reach the disk together, and
//! are answered one by one. Between any two of these the server can die.

use crate::disk::Disk;
use holdfast_common::{
    chat,
    event::{Decision, Effect, Facts, Handler, No, Verified},
    frame::{Hello, LaneState, LatestSet, SetLatest},
    id::{PersonId, RoomId, WriterId},
    limits::Limits,
    planted::{Planted, planted},
    session::Emitting,
    storage::{Append, Appended, Fault, Greeted, Greeting, LaneWrite, Membership},
    time::Timestamp,
};
use std::collections::VecDeque;

pub const LOBBY: RoomId = RoomId::NIL;

/// A connection, as the wires have it.
pub type End = u64;

/// Chat's rules as far as proofs need them.
pub struct Rules;

impl chat::Rules for Rules {
    fn message(&self, event: &chat::Message, _: &Facts, _: &Limits) -> Decision<chat::Message> {
        if event.text.is_empty() { Err(No::Because(chat::TextRefused::Empty)) } else { Ok(()) }
    }
    fn edit(&self, _: &chat::Edit, _: &Facts, _: &Limits) -> Decision<chat::Edit> {
        Ok(())
    }
    fn delete(&self, _: &chat::Delete, _: &Facts, _: &Limits) -> Decision<chat::Delete> {
        Ok(())
    }
    fn room_created(
        &self,
        event: &chat::RoomCreated,
        _: &Facts,
        _: &Limits,
    ) -> Decision<chat::RoomCreated> {
        Ok(chat::RoomNamed { name: event.name.clone() })
    }
}

/// What changes the disk.
#[derive(Debug)]
pub enum Job {
    Greet(Box<Hello>),
    Append(Box<Emitting>),
    Latest { person: PersonId, latest: SetLatest, payload: Vec<u8> },
    Member { person: PersonId, req: u64, room: RoomId, join: bool },
}

/// What became of a job.
#[derive(Debug, Clone)]
pub enum Done {
    Greeted {
        writer: WriterId,
        generation: u64,
        result: Result<Greeted, Fault>,
    },
    Appended {
        room: RoomId,
        n: u64,
        writer: WriterId,
        generation: u64,
        appended: Appended,
    },
    Stored {
        room: RoomId,
        kind: String,
        about: Option<u64>,
        result: Result<(Option<LatestSet>, u64), Fault>,
    },
    Membership {
        req: u64,
        room: RoomId,
        join: bool,
        result: Result<Membership, Fault>,
    },
}

/// What goes wrong with the storage.
#[derive(Debug, Default)]
pub struct Trouble {
    /// Nothing can be written.
    pub refuse: Option<Fault>,
    /// So many reads more fail.
    pub unread: u64,
    /// So many appends more are committed and answered as unknown.
    pub unknown: u64,
    /// Answers to appends stay away, as when the server dies between append and ack.
    pub mute: bool,
    /// Appends whose answer was held back.
    pub muted: u32,
    /// So many appends more find that what the rule went by has moved.
    pub moved: u64,
}

/// A transaction that is not on the disk yet.
struct Committing {
    disk: Disk,
    done: Vec<(End, Done)>,
}

/// One writer at a time, as the real one has it.
#[derive(Default)]
pub struct Engine {
    pub disk: Disk,
    jobs: VecDeque<(End, Job)>,
    committing: Option<Committing>,
    /// The disk before the last transaction, for a fault to be planted.
    before: Option<Disk>,
    done: VecDeque<(End, Done)>,
}

impl Engine {
    pub fn put(&mut self, end: End, job: Job) {
        self.jobs.push_back((end, job));
    }

    /// Whether a transaction can begin.
    pub fn can_begin(&self) -> bool {
        self.committing.is_none() && !self.jobs.is_empty()
    }

    pub fn commits(&self) -> bool {
        self.committing.is_some()
    }

    pub fn answers(&self) -> bool {
        !self.done.is_empty()
    }

    /// Carries out at most `most` jobs in one transaction.
    pub fn begin(&mut self, most: usize, limits: &Limits, at: Timestamp, trouble: &mut Trouble) {
        let mut disk = self.disk.clone();
        let jobs = self.jobs.drain(..most.min(self.jobs.len()));
        let done = jobs.map(|(end, job)| (end, run(&mut disk, job, limits, at, trouble)));
        let done: Vec<(End, Done)> = done.collect();
        if planted(Planted::AckBeforeCommit) {
            self.done.extend(done.iter().cloned());
        }
        self.committing = Some(Committing { disk, done });
    }

    /// The transaction is on the disk. Returns what is durable by it.
    pub fn sync(&mut self) -> Vec<(End, Done)> {
        let Some(Committing { disk, done }) = self.committing.take() else {
            return Vec::new();
        };
        self.before = Some(std::mem::replace(&mut self.disk, disk));
        if !planted(Planted::AckBeforeCommit) {
            self.done.extend(done.iter().cloned());
        }
        done
    }

    pub fn answer(&mut self) -> Option<(End, Done)> {
        self.done.pop_front()
    }

    /// The process ends. What was being committed is on the disk or is not; what was not begun never
    /// was. Returns what is durable by it.
    pub fn crash(&mut self, written: bool) -> Vec<(End, Done)> {
        let durable = if written { self.sync() } else { Vec::new() };
        (self.committing, self.done) = (None, VecDeque::new());
        self.jobs.clear();
        if planted(Planted::WatermarkForgotten) {
            self.disk.forget_lanes();
        }
        if let Some(before) = self.before.take().filter(|_| planted(Planted::CommitLost)) {
            self.disk = before;
        }
        durable
    }
}

fn run(disk: &mut Disk, job: Job, limits: &Limits, at: Timestamp, trouble: &mut Trouble) -> Done {
    match job {
        Job::Greet(hello) => {
            let (writer, generation) = (hello.writer, hello.generation);
            let result = writable(trouble).map(|()| disk.greet(&greeting(*hello, at)));
            Done::Greeted { writer, generation, result }
        }
        Job::Append(emitting) => {
            let (room, n) = (emitting.emit.room, emitting.emit.n);
            let (writer, generation) = (emitting.writer, emitting.generation);
            let appended = if let Err(fault) = writable(trouble) {
                Appended::Fault(fault)
            } else if trouble.moved > 0 {
                trouble.moved -= 1;
                Appended::Moved
            } else {
                disk.append(decide(disk, *emitting, limits, at))
            };
            Done::Appended { room, n, writer, generation, appended }
        }
        Job::Latest { person, latest, payload } => {
            let SetLatest { ns, room, kind, rank: about } = latest;
            let ranked = chat::Serve(Rules).rank(&kind, &payload).expect("proofs send markers");
            let data = String::from_utf8(payload).expect("it was read");
            let data = serde_json::value::RawValue::from_string(data).expect("it was read");
            let value = LatestSet { ns, room, kind: kind.clone(), person, rank: ranked.rank, data };
            let result = writable(trouble).map(|()| {
                let (stored, stands) = disk.set_latest(&value);
                (stored.then_some(value), stands)
            });
            Done::Stored { room, kind, about, result }
        }
        Job::Member { person, req, room, join } => {
            let result = writable(trouble).map(|()| disk.member(person, room, join));
            Done::Membership { req, room, join, result }
        }
    }
}

fn writable(trouble: &Trouble) -> Result<(), Fault> {
    trouble.refuse.clone().map_or(Ok(()), Err)
}

fn greeting(hello: Hello, at: Timestamp) -> Greeting {
    Greeting {
        person: hello.person,
        secret_hash: [hello.secret.as_bytes()[hello.secret.len() - 1]; 32],
        name: hello.name,
        writer: hello.writer,
        generation: hello.generation,
        rooms: hello.rooms,
        lanes: hello.lanes.iter().map(LaneState::floor).collect(),
        welcome_rooms: vec![LOBBY],
        at,
    }
}

fn decide(disk: &Disk, emitting: Emitting, limits: &Limits, at: Timestamp) -> Append {
    let Emitting { emit, payload, writer, generation, author, condemned } = emitting;
    let handler = chat::Serve(Rules);
    let parsed = condemned.map_or_else(|| handler.parse(&emit.kind, &payload), Err);
    let (verified, effect, counts) = match &parsed {
        Ok(parsed) => {
            let facts = disk.facts(author.id, emit.room, &parsed.effect());
            (parsed.decide(&facts, limits), parsed.effect(), parsed.counts())
        }
        Err(code) => {
            let detail = code.text().to_owned();
            (Verified::Rejected { code: *code, why: None, detail }, Effect::Adds, false)
        }
    };
    let facts = disk.facts(author.id, emit.room, &effect);
    Append {
        lane: Some(LaneWrite { writer, generation, n: emit.n, floor: emit.floor }),
        idempotency: None,
        namespace: emit.ns,
        room: emit.room,
        id: emit.id,
        kind: emit.kind,
        author,
        at,
        data: String::from_utf8_lossy(&payload).into_owned(),
        room_name: facts.free_name,
        owner: None,
        most_rooms: u32::MAX,
        effect,
        counts,
        verified,
        versions: facts.versions,
    }
}
