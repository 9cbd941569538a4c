//! A folder written by an earlier build is opened and read by this one.
//!
//! `HOLDFAST_WRITE_GOLDEN=1 cargo test -p holdfast-backend --test engine_contract golden` writes
//! the folder of the newest form if it is not there. One that is there is never written again.

mod queues;

use super::{folder::Folder, jobs::bench::Bench, rig::*};
use holdfast_backend::engine::sqlite::SqliteEngine;
use holdfast_common::{
    event::Verified,
    frame::{Entry, HOLLOW, LaneFloor, LatestSet},
    id::{EventId, PersonId, RoomId, WriterId},
    storage::{Append, Appended, Folds, Inbox, Verdict},
};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The newest form.
const NEWEST: u8 = 8;

const ROOM: RoomId = RoomId::NIL;

fn sender(generation: u64) -> Sender {
    Sender {
        person: PersonId::from_bytes([1; 16]),
        writer: WriterId::from_bytes([2; 16]),
        generation,
    }
}

fn id(n: u8) -> EventId {
    EventId::from_bytes([n; 16])
}

/// Since the second form.
fn inbox_room() -> RoomId {
    RoomId::from_bytes([4; 16])
}

fn golden(form: u8) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/db");
    root.join(format!("v{form}")).join("holdfast.db")
}

/// A copy of a golden folder, opened.
fn opened(form: u8) -> (Rig, Folder) {
    let folder = Folder::new();
    fs::copy(golden(form), folder.path().join("holdfast.db")).unwrap();
    (Rig::of(Arc::new(SqliteEngine::open(folder.path()).unwrap())), folder)
}

/// What the golden folder holds: one of each kind of row.
async fn write(rig: &Rig) {
    let ada = sender(1);
    rig.resume(ada.greeting()).await;
    let put = async |n: u8, append: Append| {
        let lane = ada.number(u64::from(n), 0);
        let id = id(n);
        rig.put(Append { lane, id, ..append }).await
    };
    let mut first = creation(ROOM, ada.person, "Ward 7");
    first.verified = Verified::allowed(r#"{"name":"Ward 7"}"#.to_owned());
    put(1, first).await;
    put(2, message(ROOM, ada.person, "v1")).await;
    put(3, edit(ROOM, ada.person, id(2), "v2")).await;
    let mut keyed = message(ROOM, ada.person, "posted");
    keyed.idempotency = promise("k", 9);
    put(4, keyed).await;
    put(5, message(ROOM, ada.person, "to be removed")).await;
    put(6, delete(ROOM, ada.person, id(5))).await;
    put(7, rejected(message(ROOM, ada.person, ""))).await;
    let read = LatestSet {
        ns: NS.to_owned(),
        room: ROOM,
        kind: "read".to_owned(),
        person: ada.person,
        rank: 3,
        data: RawValue::from_string(r#"{"offset":3}"#.to_owned()).unwrap(),
    };
    rig.engine.set_latest(read).await.unwrap();
    rig.engine.trim(ROOM, 2).await.unwrap();
    rig.entry(Append { id: id(1), ..inbox(inbox_room(), ada.person) }).await;
    rig.entry(Append { id: id(2), ..message(inbox_room(), PersonId::NIL, "for you") }).await;
}

#[tokio::test]
async fn a_folder_of_the_first_form_is_read() {
    let (rig, _folder) = opened(1);
    what_every_form_holds(&rig).await;
    let ada = sender(1).person;
    assert_eq!(rig.engine.inbox(ada, NS).await, Ok(Inbox::None));
    rig.entry(inbox(inbox_room(), ada)).await;
    let again = rig.put(inbox(room_id(), ada)).await;
    assert!(matches!(again, Appended::Moved));
}

#[tokio::test]
async fn a_folder_of_the_second_form_is_read() {
    let (rig, _folder) = opened(2);
    what_every_form_holds(&rig).await;
    with_an_inbox(&rig).await;
}

#[tokio::test]
async fn a_folder_of_the_third_form_is_read() {
    let (rig, _folder) = opened(3);
    what_every_form_holds(&rig).await;
    with_an_inbox(&rig).await;
}

/// There is no folder of the forms between: no release had them.
#[tokio::test]
async fn a_folder_of_the_seventh_form_is_read() {
    with_queues(7).await;
}

#[tokio::test]
async fn a_folder_of_the_eighth_form_is_read() {
    if std::env::var_os("HOLDFAST_WRITE_GOLDEN").is_some() && !golden(NEWEST).exists() {
        let bench = Bench::sqlite();
        write(&bench.rig()).await;
        queues::write(&bench).await;
        let folder = bench.closed();
        fs::create_dir_all(golden(NEWEST).parent().unwrap()).unwrap();
        fs::copy(folder.path().join("holdfast.db"), golden(NEWEST)).unwrap();
    }
    with_queues(8).await;
}

async fn with_queues(form: u8) {
    let bench = queues::opened(form);
    queues::what_is_held_of_queues(&bench, form).await;
    queues::what_is_held_of_webhooks(&bench).await;
    what_every_form_holds(&bench.rig()).await;
    with_an_inbox(&bench.rig()).await;
}

async fn with_an_inbox(rig: &Rig) {
    let ada = sender(1).person;
    let Ok(Inbox::Room(info)) = rig.engine.inbox(ada, NS).await else {
        panic!("there is an inbox");
    };
    assert_eq!((info.room, info.head.offset, info.joined), (inbox_room(), 2, true));
    assert_chained(&rig.slice(inbox_room(), 0).await);
    assert_eq!(offsets(&rig.page(inbox_room(), None, 9).await), [1, 2]);
    let next = message(inbox_room(), PersonId::NIL, "and for you");
    assert_eq!(rig.entry(next).await.entry.offset, 3);
}

fn offsets(page: &Folds) -> Vec<u64> {
    page.items.iter().map(|item| item.entry.offset).collect()
}

#[test]
fn no_golden_folder_was_ever_changed() {
    for (form, sum) in [
        (1, "33d54b0d47ae1a38f65f2e50d4ebe512ebe1224c6e00b61278e63e1d8dee7052"),
        (2, "fe91a3f0624eb64506c5ee29746b92c2a3667aa89f47547f1a26e5b45399b40e"),
        (3, "235f49d5fce1c403072422ca697289c58f5ef0e689d2aaeefadf75df3b4a351e"),
        (7, "6f8542f4672871f5e035f79570248ef3bf24a914e325bc8a63c537d7666ade3d"),
        (8, "102d468e4ba780465521ff16b81e79e551f417b399a755eef35ce68e58789d3a"),
    ] {
        let bytes = fs::read(golden(form)).unwrap();
        let digest: String =
            Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, sum, "form {form}");
    }
}

async fn what_every_form_holds(rig: &Rig) {
    let slice = rig.slice(ROOM, 0).await;
    assert_eq!((slice.head.first, slice.head.offset), (2, 6));
    let entries = slice.entries.iter();
    let entries: Vec<Entry> =
        entries.map(|(_, text)| serde_json::from_str(text).unwrap()).collect();
    let kinds: Vec<_> = entries.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["message", "edit", "message", HOLLOW, "delete"]);
    let mut mark = slice.trimmed_mark.unwrap();
    for entry in &entries {
        mark = mark.next(entry.offset, entry.id);
        assert_eq!(entry.mark, mark);
    }
    let page = rig.page(ROOM, None, 9).await;
    assert_eq!(shown(&page.items[0]), r#"{"text":"v2"}"#);
    assert_eq!(offsets(&page), [2, 4, 5], "an edit and a deletion are no items");
    for (before, items) in [(6, [2, 4, 5].as_slice()), (5, &[2, 4]), (4, &[2]), (2, &[])] {
        assert_eq!(offsets(&rig.page(ROOM, Some(before), 9).await), items, "before {before}");
    }

    let ada = sender(2);
    let mut greeting = ada.greeting();
    greeting.lanes = vec![LaneFloor { room: ROOM, floor: 0 }];
    let resume = rig.resume(greeting).await;
    assert_eq!((resume.lanes[0].watermark, resume.verdicts.len()), (7, 7));
    let Verdict::Ack { offset: 1, reply, .. } = &resume.verdicts[0].2 else {
        panic!("no ack: {:?}", resume.verdicts[0]);
    };
    assert_eq!(reply, r#"{"name":"Ward 7"}"#);
    assert!(matches!(resume.verdicts[6].2, Verdict::Reject { .. }));
    assert_eq!(resume.latest[0].rank, 3);
    let ward = resume.rooms.iter().find(|state| state.info.room == ROOM).unwrap();
    assert_eq!((ward.info.name.as_str(), ward.info.joined), ("Ward 7", true));
    assert!(!ward.info.inbox);

    let mut keyed = message(ROOM, ada.person, "posted");
    keyed.idempotency = promise("k", 9);
    let again = rig.put(keyed).await;
    assert!(matches!(again, Appended::Again(_)));
    assert_eq!(acked(&again), 4);
    let mut next = message(ROOM, ada.person, "goes on");
    next.lane = ada.number(8, 7);
    assert_eq!(acked(&rig.put(next).await), 7);
    assert_eq!(offsets(&rig.page(ROOM, None, 2).await), [5, 7]);
}
