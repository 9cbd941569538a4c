mod rows;
mod together;
mod unread;
mod wishes;
mod words;
mod world;

use super::*;
use crate::{
    client::{Held, RowState, Write},
    id::{EventId, RoomId},
    limits::Limits,
    time::Timestamp,
};
use world::World;

fn row(key: Key) -> Row {
    Row {
        key,
        event: Held {
            id: EventId::from_bytes([u8::try_from(key % 250).unwrap(); 16]),
            ns: "chat".to_owned(),
            room: RoomId::NIL,
            kind: "message".to_owned(),
            data: "{}".to_owned(),
            target: None,
            at: Timestamp(0),
        },
        state: RowState::Queued,
    }
}

fn run(n: u64) -> SessionId {
    SessionId::new(n, &[0; 10])
}

fn loaded() -> Input {
    Input::Loaded { last: None, keys: Vec::new(), ready: true, run: run(5) }
}

/// A tab that leads, with an empty outbox.
fn leading(now: Instant) -> Tabs {
    let mut tab = Tabs::new(1, true);
    tab.handle(now, Input::Start);
    tab.handle(now, Input::Granted);
    tab.handle(now, loaded());
    tab.handle(now, loaded());
    assert!(tab.leads());
    tab
}

/// The rows that a client is fed.
fn fed(outputs: &[Output]) -> Vec<Key> {
    let rows = outputs.iter().filter_map(|output| match output {
        Output::Row(row) => Some(row.key),
        _ => None,
    });
    rows.collect()
}
