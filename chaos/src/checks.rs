//! What must hold at the end of every scenario, each by the name of its invariant.

use crate::{
    Outcome, http,
    ledger::{Book, Known},
    log::Logs,
    server,
    stage::Stage,
};
use holdfast_common::{
    frame::{Entry, HOLLOW},
    proof::Database,
};
use rusqlite::Connection;
use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};

/// Waits until all is quiet, ends everything and looks at all of it. Returns the clients' databases.
pub(crate) async fn all(mut stage: Stage) -> Outcome<Vec<(u8, Database)>> {
    stage.drain().await?;
    let logs = stage.all_logs().await?;
    let server = stage.server.take().ok_or("the server is down")?;
    let metrics = http::get(server.address, "/metrics").await?.text();
    if !metrics.lines().any(|line| line == "holdfast_panics_total 0") {
        return Err("I11: the server counts a panic".into());
    }
    let mut databases = Vec::new();
    for client in stage.clients.drain(..) {
        databases.push((client.n, client.stop().await?));
    }
    server.end().await?;
    stage.trace.count("acks", stage.ledger.acks() as u64);
    let book = stage.ledger.book();
    stands(&logs, &book.acks, "I1: what was acked")?;
    stands(&logs, &book.read, "I4: what a reader was given")?;
    once_and_in_order(&logs, &book)?;
    let stand: usize = logs.values().map(|log| log.entries.len()).sum();
    // All but the lobby's first.
    if stand != book.emitted.len() + 1 {
        let emitted = book.emitted.len();
        return Err(format!("I6: {emitted} were emitted, and {stand} stand in the logs").into());
    }
    redacted(&logs, &book)?;
    for (n, database) in &databases {
        holds_all(*n, database, &logs, &book)?;
    }
    is_whole(&stage.start.data)?;
    let errors = server::errors(&stage.start.log, &stage.expected)?;
    if !errors.is_empty() {
        return Err(format!("I11: in the server's log: {}", errors.join("\n")).into());
    }
    drop(book);
    stage.unbroken()?;
    Ok(databases)
}

/// Each of these stands in the log where it was said to.
pub(crate) fn stands(logs: &Logs, all: &[Known], what: &str) -> Outcome<()> {
    for known in all {
        let log = logs.get(&known.room).ok_or("a room without a log")?;
        let at = usize::try_from(known.offset)?;
        let entry = at.checked_sub(1).and_then(|at| log.entries.get(at));
        let id = entry.map(|entry| entry.id);
        if log.epoch != Some(known.epoch) || id != Some(known.id) {
            let (name, head) = (&log.name, log.entries.len());
            let text = format!("{what} is not there: {known:?}; {name} has {id:?}, head {head}");
            return Err(text.into());
        }
    }
    Ok(())
}

/// What holds of logs whenever they are read.
pub(crate) fn once_and_in_order(logs: &Logs, book: &Book) -> Outcome<()> {
    once(logs, book)?;
    in_order(logs, book)?;
    logs.values().try_for_each(|log| as_emitted(&log.entries, book, "a log"))
}

/// I2: these say what was emitted, byte by byte; what was deleted, or was to be, may say nothing.
pub(crate) fn as_emitted<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
    book: &Book,
    who: &str,
) -> Outcome<()> {
    for entry in entries {
        // Nobody emitted the lobby's first, and a service does not know its event yet.
        let Some(event) = book.emitted.get(&entry.id) else { continue };
        let hollow = entry.kind == HOLLOW;
        let is_right = match &entry.data {
            Some(data) => !hollow && data.get() == event.data,
            None => hollow && book.deleted.contains(&entry.id),
        };
        if !is_right {
            return Err(format!("I2: {who} has {entry:?}, and emitted was {event:?}").into());
        }
    }
    Ok(())
}

/// I2: every entry is an event that somebody emitted, and no event stands twice.
fn once(logs: &Logs, book: &Book) -> Outcome<()> {
    let mut seen = HashSet::new();
    for (room, log) in logs {
        for entry in &log.entries {
            if !seen.insert(entry.id) {
                return Err(format!("I2: {} stands twice in {}", entry.id, log.name).into());
            }
            match book.emitted.get(&entry.id) {
                Some(event) if event.room == *room => {}
                // The lobby was made by the server.
                None if entry.offset == 1 => {}
                // A service was not answered yet: it does not know the id.
                None if posted(entry, book) => {}
                other => return Err(format!("I2: nobody emitted {entry:?}: {other:?}").into()),
            }
        }
    }
    Ok(())
}

fn posted(entry: &Entry, book: &Book) -> bool {
    entry.data.as_ref().is_some_and(|data| book.posted.contains(data.get()))
}

/// I3: each writer's events of a room stand in the order in which they were emitted, none left out
/// before the last that stands.
fn in_order(logs: &Logs, book: &Book) -> Outcome<()> {
    for (room, log) in logs {
        let mut stand: BTreeMap<u8, usize> = BTreeMap::new();
        for entry in &log.entries {
            let Some(event) = book.emitted.get(&entry.id) else { continue };
            let place = stand.entry(event.by).or_default();
            let next = book.order.get(&(event.by, *room)).and_then(|order| order.get(*place));
            if next != Some(&entry.id) {
                let (by, name, id) = (event.by, &log.name, entry.id);
                let text = format!("I3: {by} emitted {next:?}, and {id} stands next in {name}");
                return Err(text.into());
            }
            *place += 1;
        }
    }
    Ok(())
}

/// What was deleted is hollow, and nothing else is.
fn redacted(logs: &Logs, book: &Book) -> Outcome<()> {
    for log in logs.values() {
        let wrong = |entry: &&Entry| entry.data.is_none() != book.deleted.contains(&entry.id);
        if let Some(entry) = log.entries.iter().find(wrong) {
            return Err(format!("I2: {} in {} is {entry:?}", entry.id, log.name).into());
        }
    }
    Ok(())
}

/// I4, I5, I6: a client holds each log, each entry once, in order and as it was emitted, was told of no
/// hole, and has nothing left to send.
fn holds_all(n: u8, database: &Database, logs: &Logs, book: &Book) -> Outcome<()> {
    for (room, log) in logs {
        let held = database.entries.get(room).map_or(&[][..], Vec::as_slice);
        let is = held.iter().map(|entry| (entry.offset, entry.id, entry.mark));
        let should = log.entries.iter().map(|entry| (entry.offset, entry.id, entry.mark));
        if !is.eq(should) {
            let (held, head) = (held.len(), log.entries.len());
            let text = format!("I4: client {n} holds {held} of the {head} of {}", log.name);
            return Err(text.into());
        }
        as_emitted(held, book, &format!("client {n}"))?;
        if database.cursors.get(room).copied() != log.cursor() {
            return Err(format!("I4: the cursor of client {n} is not at the head").into());
        }
    }
    if !database.told.is_empty() {
        return Err(format!("I5: client {n} was told of {:?}", database.told).into());
    }
    match database.rows.values().next() {
        None => Ok(()),
        Some(row) => Err(format!("I6: client {n} still has {row:?}").into()),
    }
}

/// `PRAGMA integrity_check` of the database in this folder.
pub(crate) fn is_whole(folder: &Path) -> Outcome<()> {
    let db = Connection::open(folder.join("holdfast.db"))?;
    let mut check = db.prepare("PRAGMA integrity_check")?;
    let said: Vec<String> = check.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    if said == ["ok"] { Ok(()) } else { Err(format!("I1: integrity_check: {said:?}").into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ledger::Emitted, log::Log};
    use holdfast_common::{
        cursor::{Cursor, Mark},
        frame::Author,
        id::{Epoch, EventId, PersonId, RoomId},
        time::Timestamp,
    };

    const ROOM: RoomId = RoomId::NIL;

    fn entry(n: u8, data: Option<&str>) -> Entry {
        let data = data.map(|data| serde_json::value::RawValue::from_string(data.to_owned()));
        Entry {
            offset: n.into(),
            mark: Mark(n.into()),
            id: EventId::from_bytes([n; 16]),
            kind: if data.is_some() { "message" } else { HOLLOW }.to_owned(),
            from: Author { id: PersonId::NIL, name: "Anna".to_owned() },
            at: Timestamp(1),
            data: data.transpose().unwrap(),
        }
    }

    /// What becomes of a client that holds these of a log of "one", and of "two", which was deleted.
    fn judged(held: [Option<&str>; 2]) -> Outcome<()> {
        let mut book = Book::default();
        for (n, data) in [(1, "\"one\""), (2, "\"two\"")] {
            let event = Emitted { by: 1, room: ROOM, data: data.to_owned() };
            book.emitted.insert(EventId::from_bytes([n; 16]), event);
        }
        book.deleted.insert(EventId::from_bytes([2; 16]));
        let mut log = Log::new("room");
        log.epoch = Some(Epoch::NIL);
        log.entries = vec![entry(1, Some("\"one\"")), entry(2, None)];
        let logs = Logs::from([(ROOM, log)]);
        redacted(&logs, &book)?;
        let mut database = Database::new(1);
        let held = [entry(1, held[0]), entry(2, held[1])];
        database.entries.insert(ROOM, held.to_vec());
        let cursor = Cursor { epoch: Epoch::NIL, offset: 2, mark: Mark(2) };
        database.cursors.insert(ROOM, cursor);
        holds_all(1, &database, &logs, &book)
    }

    #[test]
    fn a_client_whose_entries_say_something_else_is_found_out() {
        for right in [[Some("\"one\""), None], [Some("\"one\""), Some("\"two\"")]] {
            assert!(judged(right).is_ok(), "{right:?}");
        }
        for wrong in [[Some("\"one \""), None], [None, None], [Some("\"one\""), Some("\"2\"")]] {
            let error = judged(wrong).unwrap_err().to_string();
            assert!(error.starts_with("I2: client 1 has"), "{wrong:?}: {error}");
        }
    }
}
