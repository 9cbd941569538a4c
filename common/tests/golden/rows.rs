//! What a client keeps in its database, and the changes that tabs tell each other.
//!
//! A page is loaded anew and its database is not: rows of an outbox may be as old as the browser
//! profile.

use crate::{
    files::{file, stems},
    samples, unknown,
};
use holdfast_common::{
    client::{RowState, Write},
    id::SessionId,
    tabs::{Place, Word},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::BTreeSet, fmt::Debug};

names! { STATES, of_state, RowState:
    Queued = "queued" Sent = "sent" Unsure = "unsure" Acked = "acked" Rejected = "rejected"
}

names! { WRITES, of_write, Write:
    Generation = "generation" Writer = "writer" Name = "name" AddRow = "add_row"
    PutRow = "put_row" DeleteRow = "delete_row" Lane = "lane" Entries = "entries" Page = "page"
    Gap = "gap" Reset = "reset" Room = "room" Left = "left" Lost = "lost" PutLatest = "put_latest"
    DeleteLatest = "delete_latest" Register = "register"
}

/// Compares a value with its file, both ways, and reads it with members of a later version.
fn hold<T: Serialize + DeserializeOwned + Debug>(path: &str, named: bool, value: &T) {
    let path = format!("stored/v1/{path}.json");
    let written = serde_json::to_string(value).expect("it has string keys only");
    let held = file(&path, &written);
    assert_eq!(held, written, "{path}");
    let read = |text: &str| -> T { serde_json::from_str(text).expect(&path) };
    assert_eq!(format!("{:?}", read(&held)), format!("{value:?}"), "{path}");
    let (more, same) = (unknown::more(&held, named), unknown::same(&held));
    assert_eq!(format!("{:?}", read(&more)), format!("{:?}", read(&same)), "{path}");
}

#[test]
fn what_a_client_has_stored_is_read_and_written_as_it_was() {
    hold("principal", false, &samples::principal());
    hold("lane", false, &samples::lane_row());
    hold("latest", false, &samples::latest_row());
    for (stem, row) in samples::rows() {
        hold(&format!("row/{stem}"), false, &row);
    }
}

/// They are said by one tab and heard by others of the same page: no file holds them.
#[test]
fn what_tabs_tell_each_other_is_heard_as_it_was_said() {
    let place = Place { run: SessionId::NIL, batch: 1, extra: 2 };
    for (name, write) in samples::writes() {
        let word = Word::Batch { place, writes: vec![write] };
        let heard = Word::read(&word.write()).expect(name);
        assert_eq!(format!("{heard:?}"), format!("{word:?}"), "{name}");
    }
}

#[test]
fn every_state_of_a_row_and_every_change_has_its_file_and_every_file_its_value() {
    let (rows, writes) = (samples::rows(), samples::writes());
    let states: BTreeSet<&str> = rows.iter().map(|(_, row)| of_state(&row.state)).collect();
    assert!(STATES.iter().all(|name| states.contains(name)), "{states:?}");
    let kinds: BTreeSet<&str> = writes.iter().map(|(_, write)| of_write(write)).collect();
    assert!(WRITES.iter().all(|name| kinds.contains(name)), "{kinds:?}");
    let named = |stems: Vec<String>, samples: Vec<&str>| {
        for stem in stems {
            assert!(samples.contains(&stem.as_str()), "who reads {stem}?");
        }
    };
    named(stems("stored/v1/row"), rows.iter().map(|it| it.0).collect());
}
