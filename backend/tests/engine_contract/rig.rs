//! What the facts are told with: an engine, people who send, and events to be appended.

use super::folder::Folder;
use holdfast_backend::engine::{Engine, memory::MemoryEngine, sqlite::SqliteEngine};
use holdfast_common::{
    cursor::{Cursor, Mark, Offset},
    event::{Effect, Verified, Versions},
    frame::{Author, Folded},
    id::{EventId, PersonId, RoomId, WriterId},
    storage::{
        Append, Appended, FactsQuery, Folds, Greeted, Greeting, Idempotency, LaneWrite, NewEntry,
        Resume, Slice, Verdict,
    },
    time::Timestamp,
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

pub(crate) const NS: &str = "chat";
pub(crate) const NOW: Timestamp = Timestamp(1_760_000_000_000);

/// An engine under test.
pub(crate) struct Rig {
    pub(crate) engine: Arc<dyn Engine>,
    /// Goes after the engine.
    folder: Option<Arc<Folder>>,
}

/// A person at one outbox.
#[derive(Clone, Copy)]
pub(crate) struct Sender {
    pub(crate) person: PersonId,
    pub(crate) writer: WriterId,
    pub(crate) generation: u64,
}

/// Ten bytes no other call gets, in rising order.
fn fresh() -> [u8; 10] {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let n = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&n.to_be_bytes());
    bytes
}

pub(crate) fn event() -> EventId {
    EventId::new(NOW.0, &fresh())
}

pub(crate) fn room_id() -> RoomId {
    RoomId::new(NOW.0, &fresh())
}

pub(crate) fn person() -> PersonId {
    PersonId::new(NOW.0, &fresh())
}

impl Sender {
    pub(crate) fn new() -> Self {
        Self { person: person(), writer: WriterId::new(NOW.0, &fresh()), generation: 1 }
    }

    pub(crate) fn greeting(&self) -> Greeting {
        Greeting {
            person: self.person,
            secret_hash: [7; 32],
            name: "Ada".to_owned(),
            writer: self.writer,
            generation: self.generation,
            rooms: Vec::new(),
            lanes: Vec::new(),
            welcome_rooms: Vec::new(),
            at: NOW,
        }
    }

    pub(crate) fn number(&self, n: u64, floor: u64) -> Option<LaneWrite> {
        Some(LaneWrite { writer: self.writer, generation: self.generation, n, floor })
    }
}

/// A counted event of `author`, with versions that say "nothing is there".
pub(crate) fn message(room: RoomId, author: PersonId, text: &str) -> Append {
    Append {
        lane: None,
        idempotency: None,
        namespace: NS.to_owned(),
        room,
        id: event(),
        kind: "message".to_owned(),
        author: Author { id: author, name: "Ada".to_owned() },
        at: NOW,
        data: format!(r#"{{"text":"{text}"}}"#),
        effect: Effect::Adds,
        room_name: None,
        owner: None,
        most_rooms: u32::MAX,
        counts: true,
        verified: Verified::allowed("null".to_owned()),
        versions: Versions::default(),
    }
}

pub(crate) fn edit(room: RoomId, author: PersonId, target: EventId, text: &str) -> Append {
    Append {
        kind: "edit".to_owned(),
        effect: Effect::Replaces(target),
        counts: false,
        ..message(room, author, text)
    }
}

pub(crate) fn delete(room: RoomId, author: PersonId, target: EventId) -> Append {
    Append {
        kind: "delete".to_owned(),
        effect: Effect::Removes(target),
        counts: false,
        ..message(room, author, "")
    }
}

pub(crate) fn creation(room: RoomId, author: PersonId, name: &str) -> Append {
    Append {
        kind: "room_created".to_owned(),
        effect: Effect::Creates(name.to_owned()),
        counts: false,
        ..message(room, author, "")
    }
}

/// The server's making of a person's inbox.
pub(crate) fn inbox(room: RoomId, owner: PersonId) -> Append {
    Append { owner: Some(owner), ..creation(room, PersonId::NIL, "Inbox") }
}

pub(crate) fn rejected(append: Append) -> Append {
    Append {
        verified: Verified::Rejected {
            code: holdfast_common::error::Code::Refused,
            why: Some(r#"{"reason":"empty"}"#.to_owned()),
            detail: "There is nothing in it.".to_owned(),
        },
        ..append
    }
}

pub(crate) fn promise(key: &str, body: u8) -> Option<Idempotency> {
    Some(Idempotency { key: key.to_owned(), caller: PersonId::NIL, body_hash: [body; 32] })
}

impl Rig {
    pub(crate) fn memory() -> Self {
        Self { engine: Arc::new(MemoryEngine::new()), folder: None }
    }

    pub(crate) fn sqlite() -> Self {
        let folder = Folder::new();
        Self {
            engine: Arc::new(SqliteEngine::open(folder.path()).unwrap()),
            folder: Some(Arc::new(folder)),
        }
    }

    /// An engine that was opened elsewhere.
    pub(crate) fn of(engine: Arc<dyn Engine>) -> Self {
        Self { engine, folder: None }
    }

    /// For another task.
    pub(crate) fn share(&self) -> Self {
        Self { engine: Arc::clone(&self.engine), folder: self.folder.clone() }
    }

    /// A person whose outbox has said hello.
    pub(crate) async fn sender(&self) -> Sender {
        let sender = Sender::new();
        self.resume(sender.greeting()).await;
        sender
    }

    pub(crate) async fn resume(&self, greeting: Greeting) -> Resume {
        match self.engine.greet(greeting).await.unwrap() {
            Greeted::Welcome(resume) => resume,
            Greeted::Refused(code) => panic!("refused: {code:?}"),
        }
    }

    /// A room that the server made; its log has one entry.
    pub(crate) async fn room(&self) -> RoomId {
        let room = room_id();
        self.entry(creation(room, PersonId::NIL, &room.to_string())).await;
        room
    }

    /// Fills in what a session reads before it asks a rule.
    pub(crate) async fn read_facts(&self, mut append: Append) -> Append {
        let query = FactsQuery {
            person: append.author.id,
            namespace: append.namespace.clone(),
            room: append.room,
            effect: append.effect.clone(),
        };
        let facts = self.engine.facts(query).await.unwrap();
        append.versions = facts.versions;
        append.room_name = facts.free_name;
        append
    }

    /// Reads the facts and appends.
    pub(crate) async fn put(&self, append: Append) -> Appended {
        let append = self.read_facts(append).await;
        self.engine.append(append).await
    }

    /// Appends what must make a new entry.
    pub(crate) async fn entry(&self, append: Append) -> NewEntry {
        entry(self.put(append).await)
    }

    /// Appends so many messages, one after the other.
    pub(crate) async fn messages(&self, room: RoomId, count: u64) -> Vec<NewEntry> {
        let mut entries = Vec::new();
        for n in 0..count {
            let append = message(room, PersonId::NIL, &format!("message {n}"));
            entries.push(self.entry(append).await);
        }
        entries
    }

    pub(crate) async fn slice(&self, room: RoomId, after: Offset) -> Slice {
        let slice = self.engine.slice(room, after, u32::MAX, usize::MAX).await;
        slice.unwrap().unwrap()
    }

    pub(crate) async fn page(&self, room: RoomId, before: Option<Offset>, limit: u32) -> Folds {
        let page = self.engine.page(room, before, limit, usize::MAX, None).await;
        page.unwrap().unwrap()
    }
}

pub(crate) fn entry(appended: Appended) -> NewEntry {
    match appended {
        Appended::Decided { entry: Some(entry), .. } => *entry,
        other => panic!("no new entry: {other:?}"),
    }
}

/// The offset that an ack, new or repeated, names.
pub(crate) fn acked(appended: &Appended) -> Offset {
    match appended {
        Appended::Decided { verdict: Verdict::Ack { offset, .. }, .. }
        | Appended::Again(Verdict::Ack { offset, .. }) => *offset,
        other => panic!("no ack: {other:?}"),
    }
}

/// An entry's payload, as its reader sees it.
pub(crate) fn shown(item: &Folded) -> &str {
    let entry = item.change.as_ref().unwrap_or(&item.entry);
    entry.data.as_ref().map_or("", |data| data.get())
}

/// Where one stands who has applied `entry`.
pub(crate) fn cursor(new: &NewEntry) -> Cursor {
    Cursor { epoch: new.epoch, offset: new.entry.offset, mark: new.entry.mark }
}

/// That offsets are dense from 1 and each mark follows from the one before.
pub(crate) fn assert_chained(slice: &Slice) {
    let mut mark = Mark::START;
    for (i, (offset, text)) in slice.entries.iter().enumerate() {
        let entry: holdfast_common::frame::Entry = serde_json::from_str(text).unwrap();
        assert_eq!(*offset, i as u64 + 1);
        assert_eq!(entry.offset, *offset);
        mark = mark.next(*offset, entry.id);
        assert_eq!(entry.mark, mark);
    }
    assert_eq!(slice.head.offset, slice.entries.len() as u64);
    assert_eq!(slice.head.mark, mark);
}
