//! Transactions, on the stores in memory.

use super::*;
use futures_util::FutureExt;
use holdfast_common::{
    chat::Message,
    error::Code,
    id::{Epoch, EventId, PersonId},
    time::Timestamp,
};

const ROOM: RoomId = RoomId::NIL;

fn database() -> Database {
    Database { kind: Kind::Memory(Rc::default()), effect: None, kept: Rc::default() }
}

fn message(n: u8) -> Held {
    let text = "a text".to_owned();
    Held::new(EventId::from_bytes([n; 16]), ROOM, Timestamp(0), &Message { text })
}

/// In memory nothing has to be waited for.
fn now<T>(work: impl Future<Output = T>) -> T {
    work.now_or_never().unwrap()
}

/// How many rows and which drafts there are.
fn held(db: &Database) -> (usize, Vec<(RoomId, String)>) {
    let loaded = now(db.content(false)).unwrap().loaded;
    (loaded.rows.len(), loaded.drafts)
}

#[test]
fn a_row_takes_the_place_of_the_draft_that_it_was_made_of() {
    let db = database();
    now(db.draft(ROOM, "a text")).unwrap();
    assert_eq!(held(&db), (0, vec![(ROOM, "a text".to_owned())]));
    now(db.add(vec![message(1)], &[ROOM])).unwrap();
    assert_eq!(held(&db), (1, vec![]));
}

#[test]
fn a_row_that_was_made_of_no_draft_leaves_the_drafts_alone() {
    let db = database();
    now(db.draft(ROOM, "something else")).unwrap();
    now(db.add(vec![message(1)], &[])).unwrap();
    assert_eq!(held(&db), (1, vec![(ROOM, "something else".to_owned())]));
}

#[test]
fn who_reads_in_order_to_lead_fences_who_led_before() {
    let db = database();
    let principal =
        Principal { person: PersonId::NIL, secret: "a secret".repeat(4), name: "Ada".to_owned() };
    now(db.introduce(&principal, WriterId::NIL)).unwrap();
    let read = now(db.content(false)).unwrap();
    let taken = now(db.content(true)).unwrap();
    let batch = |generation| Batch { token: 1, strict: false, generation, writes: Vec::new() };
    let late = now(db.commit(SessionId::NIL, batch(read.generation)));
    assert_eq!(late.err(), Some(NotWritten::Fenced));
    assert!(now(db.commit(SessionId::NIL, batch(taken.generation))).is_ok());
}

#[test]
fn a_lost_room_is_gone_when_the_database_is_read_again() {
    let db = database();
    let info = r#"{"room":"00000000-0000-0000-0000-000000000000","ns":"chat","name":"lobby","joined":true,
        "head":{"epoch":"00000000-0000-0000-0000-000000000000","offset":0,"mark":"0000000000000000","first":1}}"#;
    let writes = vec![Write::Room(serde_json::from_str(info).unwrap()), Write::Lost(ROOM)];
    let batch = Batch { token: 1, strict: false, generation: 0, writes };
    now(db.commit(SessionId::NIL, batch)).unwrap();
    let rooms = now(db.content(false)).unwrap().loaded.rooms;
    assert!(rooms[0].gone && !rooms[0].joined);
}

#[test]
fn what_waits_in_a_damaged_database_is_asked_about_whether_it_says_queued_or_sent() {
    let db = database();
    let principal =
        Principal { person: PersonId::NIL, secret: "a secret".repeat(4), name: "Ada".to_owned() };
    now(db.introduce(&principal, WriterId::NIL)).unwrap();
    let mut rows = now(db.add((1..=4).map(message).collect(), &[])).unwrap();
    rows[1].state = RowState::Sent { n: 1 };
    rows[2].state = RowState::Acked { epoch: Epoch::NIL, offset: 7 };
    rows[3].state =
        RowState::Rejected { code: Code::TooLarge, detail: "too large".to_owned(), why: None };
    let writes = rows.iter().cloned().map(Write::PutRow).collect();
    let batch = Batch { token: 1, strict: true, generation: 0, writes };
    now(db.commit(SessionId::NIL, batch)).unwrap();
    let Kind::Memory(memory) = &db.kind else { panic!("it is in memory") };
    let spoilt = tx::Value { json: "{".to_owned(), refs: Vec::new() };
    memory.borrow_mut().put(Store::Lanes, Key::room(ROOM), spoilt);

    let content = now(db.content(true)).unwrap();
    assert_eq!(content.loaded.rows, rows);
    now(db.mend(&content, WriterId::from_bytes([2; 16]))).unwrap();
    let mended = now(db.content(true)).unwrap();
    assert_eq!((mended.damage, mended.writer), (None, Some(WriterId::from_bytes([2; 16]))));
    for row in &mut rows[..2] {
        row.state = RowState::Unsure;
    }
    assert_eq!(mended.loaded.rows, rows);
}
