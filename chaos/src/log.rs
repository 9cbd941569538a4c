//! The rooms' logs as a reader by HTTP is given them, every page.

use crate::{Outcome, http};
use holdfast_common::{
    cursor::{Cursor, Mark},
    frame::Entry,
    id::{Epoch, RoomId},
};
use serde::Deserialize;
use std::{collections::BTreeMap, net::SocketAddr};

/// A room's log as far as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub(crate) name: String,
    pub(crate) epoch: Option<Epoch>,
    pub(crate) entries: Vec<Entry>,
}

/// One page of it.
#[derive(Deserialize)]
struct Page {
    epoch: Epoch,
    head: u64,
    gap: Option<serde_json::Value>,
    events: Vec<Entry>,
}

impl Log {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), epoch: None, entries: Vec::new() }
    }

    /// Where a reader stands that has read all of it.
    pub(crate) fn cursor(&self) -> Option<Cursor> {
        let last = self.entries.last()?;
        Some(Cursor { epoch: self.epoch?, offset: last.offset, mark: last.mark })
    }

    /// Reads on to the head. What was read before stays: a server that has it no more says so. A
    /// room that nobody has heard to be there may not be.
    pub(crate) async fn read_on(&mut self, address: SocketAddr) -> Outcome<()> {
        loop {
            let mut path = format!("/api/v1/chat/rooms/{}/events?limit=1000", self.name);
            if let Some(Cursor { epoch, offset, mark }) = self.cursor() {
                path += &format!("&epoch={epoch}&after={offset}&mark={mark}");
            }
            let answer = http::get(address, &path).await?;
            if answer.status == 404 && self.entries.is_empty() {
                return Ok(());
            }
            if answer.status != 200 {
                let text = answer.text();
                return Err(format!("I1: {} cannot be read on: {text}", self.name).into());
            }
            let page: Page = serde_json::from_slice(&answer.body)?;
            if page.gap.is_some() {
                return Err(format!("I5: {} has a gap", self.name).into());
            }
            self.epoch = Some(page.epoch);
            for entry in page.events {
                self.take(entry)?;
            }
            if self.entries.len() as u64 >= page.head {
                return Ok(());
            }
        }
    }

    fn take(&mut self, entry: Entry) -> Outcome<()> {
        let (last, offset) =
            self.entries.last().map_or((Mark::START, 0), |it| (it.mark, it.offset));
        if entry.offset != offset + 1 {
            let text = format!("I3: {} has {} behind {offset}", self.name, entry.offset);
            return Err(text.into());
        }
        if entry.mark != last.next(entry.offset, entry.id) {
            return Err(format!("I3: {} has a wrong mark at {}", self.name, entry.offset).into());
        }
        self.entries.push(entry);
        Ok(())
    }
}

/// All rooms, by their ids.
pub(crate) type Logs = BTreeMap<RoomId, Log>;

/// Every log from its beginning.
pub(crate) async fn all(known: &Logs, address: SocketAddr) -> Outcome<Logs> {
    let mut logs = Logs::new();
    for (room, known) in known {
        let mut log = Log::new(&known.name);
        log.read_on(address).await?;
        logs.insert(*room, log);
    }
    Ok(logs)
}
