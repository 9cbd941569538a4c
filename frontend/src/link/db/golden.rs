//! What a browser's database holds, frozen: one line for each value of each store.
//!
//! `HOLDFAST_WRITE_GOLDEN=1 cargo test -p holdfast-frontend golden` writes the file of the newest
//! form if it is not there. One that is there is never written again: a new form has a new number,
//! a file of its own, and a way for the database of a browser to come there.

use super::{tx::Value, *};
use crate::{
    app::change,
    link::update::{HeldRoom, HoleKind},
};
use futures_util::FutureExt;
use holdfast_common::{
    chat,
    client::{Held, LaneRow, LatestRow},
    cursor::{Cursor, Head, Mark, ResetReason},
    frame::{Entry, Folded, Gap, LatestSet, RoomInfo},
    id::{Epoch, EventId, PersonId},
    time::Timestamp,
};
use sha2::{Digest, Sha256};
use std::{fs, path::PathBuf};

/// SHA-256 of the first form's file.
const FIRST: &str = "bc294a204af5fe6abceb1267ae736120cd166c47b899a8828d611da20a80ea87";

fn person() -> PersonId {
    PersonId::from_bytes([1; 16])
}

fn writer() -> WriterId {
    WriterId::from_bytes([2; 16])
}

fn run() -> SessionId {
    SessionId::from_bytes([3; 16])
}

fn epoch() -> Epoch {
    Epoch::from_bytes([4; 16])
}

fn lobby() -> RoomId {
    RoomId::from_bytes([5; 16])
}

fn ward() -> RoomId {
    RoomId::from_bytes([6; 16])
}

fn golden(form: u32) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/database");
    root.join(format!("v{form}.tsv"))
}

fn database(memory: Memory) -> Database {
    let kind = Kind::Memory(Rc::new(RefCell::new(memory)));
    Database { kind, effect: Some(change), kept: Rc::default() }
}

/// In memory nothing has to be waited for.
fn now<T>(work: impl Future<Output = Result<T, NotWritten>>) -> T {
    work.now_or_never().unwrap().unwrap()
}

fn read<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}

fn event(n: u8) -> EventId {
    EventId::from_bytes([n; 16])
}

fn cursor(offset: u64) -> Cursor {
    Cursor { epoch: epoch(), offset, mark: Mark(0x0123_4567_89ab_cdef) }
}

fn room_named(room: RoomId, name: &str) -> Write {
    let head = Head { epoch: epoch(), offset: 9, mark: Mark(7), first: 1 };
    let (ns, name) = ("chat".to_owned(), name.to_owned());
    let (joined, gone, inbox) = (true, false, false);
    Write::Room(RoomInfo { room, ns, name, head, joined, gone, inbox })
}

fn entry(offset: u64, kind: &str, data: &str) -> Entry {
    let id = event(u8::try_from(offset).unwrap());
    let from = format!(r#"{{"id":"{}","name":"Ada"}}"#, person());
    read(&format!(
        r#"{{"offset":{offset},"mark":"00000000000000ff","id":"{id}","type":"{kind}","from":{from},
            "at":1760000000000,"data":{data}}}"#
    ))
}

fn held(n: u8, text: &str) -> Held {
    let message = chat::Message { text: text.to_owned() };
    Held::new(event(n), lobby(), Timestamp(1_760_000_000_000), &message)
}

/// One of everything.
fn writes() -> Vec<Write> {
    let edit = format!(r#"{{"target":"{}","text":"v2"}}"#, event(9));
    let entries = vec![entry(9, "message", r#"{"text":"v1 ☕"}"#), entry(10, "edit", &edit)];
    let changed = format!(r#"{{"target":"{}","text":"7, changed"}}"#, event(7));
    let change = Some(entry(8, "edit", &changed));
    let item = Folded { entry: entry(7, "message", r#"{"text":"7"}"#), change };
    let gap = Gap {
        room: ward(),
        from: 1,
        to: 3,
        count: 3,
        reason: read(r#""trimmed""#),
        cursor: cursor(3),
    };
    let register = format!(
        r#"{{"ns":"chat","room":"{}","type":"read","person":"{}","rank":2,
            "data":{{"offset":2}}}}"#,
        lobby(),
        person(),
    );
    let reset = Write::Reset {
        room: ward(),
        reason: ResetReason::Epoch,
        was: Some(cursor(4)),
        head: Head { epoch: epoch(), offset: 9, mark: Mark(7), first: 1 },
    };
    vec![
        Write::Generation(3),
        Write::Name("Ada Lovelace".to_owned()),
        room_named(lobby(), "lobby"),
        room_named(ward(), "Ward 7"),
        Write::Page {
            room: lobby(),
            items: vec![item],
            from: 7,
            first: 1,
            skipped: 4,
            cursor: cursor(8),
        },
        Write::Entries { room: lobby(), entries, cursor: cursor(10), missed: false },
        reset,
        Write::Gap(gap),
        Write::AddRow(held(11, "queued")),
        Write::AddRow(held(12, "sent")),
        Write::PutRow(Row { key: 2, event: held(12, "sent"), state: RowState::Sent { n: 1 } }),
        Write::Lane(LaneRow { room: lobby(), next: 2 }),
        Write::PutLatest(LatestRow {
            ns: "chat".to_owned(),
            room: lobby(),
            kind: "read".to_owned(),
            rank: 8,
            data: r#"{"offset":8}"#.to_owned(),
        }),
        Write::Register(read::<LatestSet>(&register)),
    ]
}

/// A database with one of everything, as text.
fn written() -> String {
    let db = database(Memory::default());
    let principal = Principal {
        person: person(),
        secret: "sixteen or more!".to_owned(),
        name: "Ada".to_owned(),
    };
    assert!(now(db.introduce(&principal, writer())));
    now(db.draft(ward(), "begun"));
    now(db.commit(run(), Batch { token: 5, strict: true, generation: 0, writes: writes() }));
    let Kind::Memory(memory) = &db.kind else { unreachable!() };
    memory.borrow().lines()
}

/// `STORE KEY JSON REFS`, parted by tabs, in the order of stores and keys.
impl Memory {
    fn lines(&self) -> String {
        let line = |(store, key, value): &(Store, Key, Value)| {
            let refs = value.refs.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            let key = match key {
                Key::Row(row) => row.to_string(),
                Key::Place(room, offset) => format!("{room} {offset}"),
                Key::Text(text) => text.clone(),
            };
            format!("{}\t{key}\t{}\t{refs}\n", store.name(), value.json)
        };
        self.values().map(line).collect()
    }
}

fn opened(form: u32) -> Database {
    let text = fs::read_to_string(golden(form)).unwrap();
    database(Memory::of_lines(&text).unwrap())
}

#[test]
fn what_is_written_today_is_of_the_newest_form() {
    let text = written();
    if std::env::var_os("HOLDFAST_WRITE_GOLDEN").is_some() && !golden(SCHEMA).exists() {
        fs::write(golden(SCHEMA), &text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(golden(SCHEMA)).unwrap());
}

#[test]
fn no_golden_database_was_ever_changed() {
    let sum: String = Sha256::digest(fs::read(golden(1)).unwrap())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(sum, FIRST);
}

#[test]
fn a_database_of_the_first_form_is_read() {
    let content = now(opened(1).content(false));
    assert_eq!(content.damage, None);
    assert_eq!((content.writer, content.generation), (Some(writer()), 3));
    assert_eq!(content.last, Some((run(), 5)));
    assert_eq!(content.lanes, [LaneRow { room: lobby(), next: 2 }]);
    assert_eq!(content.latest[0].rank, 8);
    let loaded = content.loaded;
    assert_eq!(loaded.principal.unwrap().name, "Ada Lovelace");
    let rooms = loaded.rooms.iter().map(|room| room.name.as_str());
    assert_eq!(rooms.collect::<Vec<_>>(), ["lobby", "Ward 7"]);
    let rows = loaded.rows.iter().map(|row| (row.key, row.event.id, &row.state));
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [(1, event(11), &RowState::Queued), (2, event(12), &RowState::Sent { n: 1 })]
    );
    assert_eq!(loaded.registers[0].rank, 2);
    assert_eq!(loaded.drafts, [(ward(), "begun".to_owned())]);
    let [lobby, ward] = &loaded.held[..] else { panic!("{:?}", loaded.held) };
    assert_eq!((lobby.cursor, ward.cursor), (Some(cursor(10)), Some(cursor(3))));
    let items = lobby.items.iter().map(|item| (item.entry.offset, item.change.is_some()));
    assert_eq!(items.collect::<Vec<_>>(), [(7, true), (9, false), (10, false)]);
    let holes = |held: &HeldRoom| {
        let holes = held.holes.iter().map(|hole| (hole.from, hole.to, hole.count, hole.kind));
        holes.collect::<Vec<_>>()
    };
    assert_eq!(holes(lobby), [(1, 6, 4, HoleKind::Skipped)]);
    assert_eq!(
        holes(ward),
        [
            (0, 0, 4, HoleKind::Reset(ResetReason::Epoch)),
            (1, 3, 3, HoleKind::Gap(read(r#""trimmed""#))),
        ]
    );
}
