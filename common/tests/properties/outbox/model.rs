//! What a client speaks to and writes into: a server, and a database.

use crate::{epoch, person};
use holdfast_common::{
    client::{Batch, Held, Key, LaneRow, Principal, Row, RowState, Snapshot, Write},
    error::Code,
    frame::{Ack, Emit, Reject, Retry, ServerFrame, Settled},
    id::{EventId, RoomId, WriterId},
    time::Millis,
};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The server by docs/protocol.md, of one writer: numbers decided once, and the logs.
#[derive(Debug, Default)]
pub struct Server {
    pub watermarks: BTreeMap<RoomId, u64>,
    pub verdicts: BTreeMap<(RoomId, u64), (EventId, Option<u64>)>,
    pub logs: BTreeMap<RoomId, Vec<(EventId, String)>>,
    /// Of this connection: behind what number nothing is heard.
    pub awaits: BTreeMap<RoomId, u64>,
}

impl Server {
    pub fn take(&mut self, emit: &Emit, payload: &str, not_now: bool) -> Option<ServerFrame> {
        let Emit { room, n, floor, id, .. } = *emit;
        if self.awaits.get(&room).is_some_and(|awaited| n > *awaited && floor < *awaited) {
            return None;
        }
        self.awaits.remove(&room);
        if not_now {
            self.awaits.insert(room, n);
            let (code, after) = (Code::Overloaded, Millis(10));
            return Some(ServerFrame::Retry(Retry { room, n, code, after }));
        }
        let watermark = self.watermarks.entry(room).or_default();
        assert!(floor <= *watermark, "a client says settled of what was never decided");
        if n > *watermark + 1 {
            let n = *watermark + 1;
            self.awaits.insert(room, n);
            return Some(ServerFrame::Expected(Settled { room, n }));
        }
        if n == *watermark + 1 {
            *watermark = n;
            let log = self.logs.entry(room).or_default();
            let stands = log.iter().position(|(it, _)| *it == id);
            let bad = payload.contains("bad");
            let place = match stands {
                None if !bad => {
                    log.push((id, payload.to_owned()));
                    Some(log.len() as u64)
                }
                stands => stands.map(|at| at as u64 + 1),
            };
            self.verdicts.insert((room, n), (id, place));
        }
        let (first, place) = self.verdicts[&(room, n)];
        assert_eq!(first, id, "the number {n} was used again");
        Some(verdict(room, n, id, place))
    }
}

pub fn verdict(room: RoomId, n: u64, id: EventId, place: Option<u64>) -> ServerFrame {
    match place {
        Some(offset) => {
            let reply = RawValue::from_string("null".to_owned()).unwrap();
            ServerFrame::Ack(Ack { room, n, id, epoch: epoch(1), offset, reply })
        }
        None => {
            let (code, detail) = (Code::Refused, String::new());
            ServerFrame::Reject(Reject { room, n, id, code, detail, why: None })
        }
    }
}

/// The database: what is in it survives a crash.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    pub generation: u64,
    pub rows: BTreeMap<Key, Row>,
    pub lanes: BTreeMap<RoomId, u64>,
    pub keys: Key,
}

impl Disk {
    pub fn snapshot(&self) -> Snapshot {
        let name = "Ada".to_owned();
        let lanes = self.lanes.iter().map(|(room, next)| LaneRow { room: *room, next: *next });
        Snapshot {
            principal: Principal { person: person(1), secret: "s".repeat(16), name },
            writer: WriterId::NIL,
            generation: self.generation,
            rows: self.rows.values().cloned().collect(),
            lanes: lanes.collect(),
            cursors: Vec::new(),
            latest: Vec::new(),
        }
    }

    pub fn add(&mut self, event: Held) -> Row {
        self.keys += 1;
        let row = Row { key: self.keys, event, state: RowState::Queued };
        self.rows.insert(row.key, row.clone());
        row
    }

    /// Commits; returns the rows that were added.
    pub fn commit(&mut self, batch: Batch) -> Vec<Row> {
        assert_eq!(batch.generation, self.generation, "nobody else leads");
        let mut added = Vec::new();
        for write in batch.writes {
            match write {
                Write::Generation(generation) => {
                    assert!(generation > self.generation);
                    self.generation = generation;
                }
                Write::AddRow(event) => added.push(self.add(event)),
                Write::PutRow(row) => drop(self.rows.insert(row.key, row)),
                Write::DeleteRow(key) => drop(self.rows.remove(&key)),
                Write::Lane(lane) => {
                    let before = self.lanes.insert(lane.room, lane.next);
                    assert!(before.is_none_or(|before| before < lane.next));
                }
                other => panic!("nothing of this is about {other:?}"),
            }
        }
        added
    }
}
