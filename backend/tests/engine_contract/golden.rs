//! A folder written by an earlier build is opened and read by this one.
//!
//! `HOLDFAST_WRITE_GOLDEN=1 cargo test -p holdfast-backend --test engine_contract golden` writes
//! the folder of the newest form anew; a released one is never written again.

use super::{folder::Folder, rig::*};
use holdfast_backend::engine::sqlite::SqliteEngine;
use holdfast_common::{
    event::Verified,
    frame::{Entry, HOLLOW, LaneFloor, LatestSet},
    id::{EventId, PersonId, RoomId, WriterId},
    storage::{Append, Appended, Verdict},
};
use serde_json::value::RawValue;
use std::{fs, path::Path, sync::Arc};

const V1: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/db/v1/holdfast.db");

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
    first.verified = Verified::Allowed { reply: r#"{"name":"Ward 7"}"#.to_owned() };
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
}

#[tokio::test]
async fn a_folder_of_the_first_form_is_read() {
    let golden = Path::new(V1);
    if std::env::var_os("HOLDFAST_WRITE_GOLDEN").is_some() {
        let folder = Folder::new();
        write(&Rig::of(Arc::new(SqliteEngine::open(folder.path()).unwrap()))).await;
        fs::create_dir_all(golden.parent().unwrap()).unwrap();
        fs::copy(folder.path().join("holdfast.db"), golden).unwrap();
    }
    let folder = Folder::new();
    fs::copy(golden, folder.path().join("holdfast.db")).unwrap();
    let rig = Rig::of(Arc::new(SqliteEngine::open(folder.path()).unwrap()));

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
    assert_eq!((resume.rooms[0].info.name.as_str(), resume.rooms[0].info.joined), ("Ward 7", true));

    let mut keyed = message(ROOM, ada.person, "posted");
    keyed.idempotency = promise("k", 9);
    let again = rig.put(keyed).await;
    assert!(matches!(again, Appended::Again(_)));
    assert_eq!(acked(&again), 4);
    let mut next = message(ROOM, ada.person, "goes on");
    next.lane = ada.number(8, 7);
    assert_eq!(acked(&rig.put(next).await), 7);
}
