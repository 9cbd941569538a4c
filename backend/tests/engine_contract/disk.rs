//! What SQLite's engine promises about its folder.

use super::{folder::Folder, rig::*};
use holdfast_backend::engine::sqlite::{OpenError, Options, SqliteEngine};
use holdfast_common::{frame::LaneFloor, id::PersonId, storage::Appended};
use rusqlite::Connection;
use std::{fs, path::Path, sync::Arc, time::Duration};

fn open(folder: &Path) -> Rig {
    Rig::of(Arc::new(SqliteEngine::open(folder).unwrap()))
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let folder = Folder::new();
    let rig = open(folder.path());
    let (room, mut ada) = (rig.room().await, rig.sender().await);
    rig.engine.join(ada.person, room, 9, NOW).await.unwrap();
    let mut append = message(room, ada.person, "held");
    append.lane = ada.number(1, 0);
    append.idempotency = promise("k", 1);
    rig.entry(append.clone()).await;
    let mut refused = rejected(message(room, ada.person, ""));
    refused.lane = ada.number(2, 0);
    rig.put(refused).await;
    let before = rig.slice(room, 0).await;
    drop(rig);

    let rig = open(folder.path());
    let after = rig.slice(room, 0).await;
    assert_eq!((after.head, after.entries), (before.head, before.entries));
    assert!(matches!(rig.put(append.clone()).await, Appended::Again(_)));
    append.lane = None;
    assert!(matches!(rig.put(append).await, Appended::Again(_)));
    ada.generation += 1;
    let mut greeting = ada.greeting();
    greeting.lanes = vec![LaneFloor { room, floor: 0 }];
    let resume = rig.resume(greeting).await;
    assert_eq!(resume.lanes[0].watermark, 2);
    assert_eq!(resume.verdicts.len(), 2);
    assert!(resume.rooms[0].info.joined);
}

#[tokio::test]
async fn what_was_acked_survives_a_kill() {
    let (folder, copy) = (Folder::new(), Folder::new());
    let rig = open(folder.path());
    let room = rig.room().await;
    rig.messages(room, 20).await;
    let before = rig.slice(room, 0).await;
    // What a kill leaves behind: the files as they are, without the shared memory.
    for file in ["holdfast.db", "holdfast.db-wal"] {
        fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
    }
    let after = open(copy.path()).slice(room, 0).await;
    assert_eq!((after.head, after.entries), (before.head, before.entries));
}

#[tokio::test]
async fn two_servers_cannot_share_a_folder() {
    let folder = Folder::new();
    let first = open(folder.path());
    let error = SqliteEngine::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::InUse(_)));
    assert!(!error.to_string().contains('\n'));
    drop(first);
    open(folder.path());
}

#[tokio::test]
async fn a_folder_is_made_where_there_is_none() {
    let folder = Folder::new();
    let below = folder.path().join("a/b");
    let rig = open(&below);
    rig.room().await;
    assert!(below.join("holdfast.db").is_file());
}

#[tokio::test]
async fn a_newer_folder_is_refused_and_left_alone() {
    let folder = Folder::new();
    drop(open(folder.path()));
    let file = folder.path().join("holdfast.db");
    let db = Connection::open(&file).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let before = fs::read(&file).unwrap();
    let error = SqliteEngine::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 99, .. }));
    assert!(!error.to_string().contains('\n'));
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_in_one_line() {
    let folder = Folder::new();
    fs::write(folder.path().join("holdfast.db"), "something else ".repeat(99)).unwrap();
    let error = SqliteEngine::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::Sqlite(_)));
    assert!(!error.to_string().contains('\n'));
}

/// A text of its own that cannot stand anywhere by chance.
fn secret(n: u64) -> String {
    let digest = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("secret-{n}-{digest:016x}")
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn what_was_removed_is_in_no_file_any_more() {
    let folder = Folder::new();
    let options = Options { scrub_after: Duration::ZERO, ..Options::default() };
    let engine = SqliteEngine::open_with(folder.path(), options).unwrap();
    let rig = Rig::of(Arc::new(engine));
    let rooms = [rig.room().await, rig.room().await];
    let mut said = Vec::new();
    // Of all sizes, in rooms that grow side by side, so that pages split and cells move.
    for n in 0..300 {
        let room = rooms[(n % 3 % 2) as usize];
        let text = secret(n) + &"x".repeat((n * n * 7 % 9000) as usize);
        said.push((room, rig.entry(message(room, PersonId::NIL, &text)).await.entry.id));
        if n % 5 == 4 {
            let (room, target) = said[(n - 3) as usize];
            let text = secret(1_000_000 + n - 3) + &"y".repeat((n * 31 % 5000) as usize);
            rig.entry(edit(room, PersonId::NIL, target, &text)).await;
        }
    }
    let removed = |n: u64| n % 3 != 1;
    for (n, (room, id)) in said.iter().enumerate() {
        if removed(n as u64) {
            rig.entry(delete(*room, PersonId::NIL, *id)).await;
        }
    }
    // The log was emptied behind the last answer; this one comes after that.
    rig.room().await;
    let bytes = folder.bytes();
    for n in 0..300 {
        assert_eq!(holds(&bytes, &secret(n)), !removed(n), "message {n}");
        if n % 5 == 1 {
            assert_eq!(holds(&bytes, &secret(1_000_000 + n)), !removed(n), "its edit");
        }
    }
}

#[tokio::test]
async fn what_a_killed_server_had_removed_is_scrubbed_at_the_next_start() {
    let (folder, copy) = (Folder::new(), Folder::new());
    let rig = open(folder.path());
    let room = rig.room().await;
    let said = rig.entry(message(room, PersonId::NIL, &secret(1))).await.entry.id;
    rig.entry(delete(room, PersonId::NIL, said)).await;
    for file in ["holdfast.db", "holdfast.db-wal"] {
        fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
    }
    assert!(holds(&copy.bytes(), &secret(1)), "the log still had it");
    let rig = open(copy.path());
    rig.room().await;
    rig.room().await;
    assert!(!holds(&copy.bytes(), &secret(1)));
}

#[tokio::test]
async fn what_was_trimmed_is_in_no_file_any_more() {
    let folder = Folder::new();
    let rig = open(folder.path());
    let room = rig.room().await;
    for n in 0..100 {
        rig.entry(message(room, PersonId::NIL, &secret(n))).await;
    }
    rig.engine.trim(room, 52).await.unwrap();
    drop(rig);
    let bytes = folder.bytes();
    assert!(!(0..50).any(|n| holds(&bytes, &secret(n))));
    assert!((50..100).all(|n| holds(&bytes, &secret(n))));
}
