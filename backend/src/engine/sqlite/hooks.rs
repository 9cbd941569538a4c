//! Webhooks in SQLite.

use super::{
    SqliteEngine,
    jobs::statements,
    room::Room,
    rows::{id, int, number},
    task::Problem,
};
use crate::engine::Hooks;
use async_trait::async_trait;
use holdfast_common::{
    id::{RoomId, WebhookId},
    storage::{
        Fault,
        hooks::{HookChange, HookState, Hooked, Key, Webhook},
        jobs::By,
    },
    time::Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};

#[async_trait]
impl Hooks for SqliteEngine {
    async fn add_webhook(&self, webhook: Webhook, by: By) -> Result<Hooked, Fault> {
        let made = self.work_that(|_| false, move |work| work.add_webhook(&webhook, &by));
        made.await.map(|(hooked, _)| hooked)
    }

    async fn webhooks(&self, room: RoomId) -> Result<Option<Vec<Webhook>>, Fault> {
        self.read(move |work| work.webhooks(room)).await
    }

    async fn webhook(&self, id: WebhookId) -> Result<Option<Webhook>, Fault> {
        self.read(move |work| work.webhook(id)).await
    }

    /// A secret that is no longer one is not left in the write-ahead log.
    async fn change_webhook(
        &self,
        id: WebhookId,
        change: HookChange,
        by: By,
    ) -> Result<bool, Fault> {
        let changed = self.work_that(|_| true, move |work| work.change_webhook(id, &change, &by));
        changed.await.map(|(changed, _)| changed)
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT w.id, r.id, w.url, w.secret, w.before, w.kinds, w.ordered, w.state, w.made,
                w.changed, w.who, r.namespace, r.name
             FROM webhooks w JOIN rooms r ON r.seq = w.room ",
            $rest
        )
    };
}

statements! {
    OF_ROOM = select!("WHERE w.room = ?1 ORDER BY w.seq");
    FIND = select!("WHERE w.id = ?1");
    ADD = "INSERT INTO webhooks
            (id, room, url, secret, before, kinds, ordered, state, made, changed, who)
        SELECT ?1, seq, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 FROM rooms WHERE id = ?2";
    KEEP = "UPDATE webhooks SET secret = ?2, before = ?3, state = ?4, changed = ?5
        WHERE id = ?1";
    REMOVE = "DELETE FROM webhooks WHERE id = ?1";
    REMOVE_ALL = "DELETE FROM webhooks WHERE room = ?1";
    COUNT = "UPDATE rooms SET hooks =
            (SELECT count(*) FROM webhooks w WHERE w.room = rooms.seq AND w.state = 0)
        WHERE id = ?1";
}

pub(super) fn of_room(db: &Connection, room: RoomId) -> Result<Option<Vec<Webhook>>, Problem> {
    let Some(room) = Room::find(db, room)?.filter(|room| !room.gone && room.owner.is_none()) else {
        return Ok(None);
    };
    let mut select = db.prepare_cached(OF_ROOM)?;
    let webhooks = select.query_map([room.seq], webhook)?;
    Ok(Some(webhooks.collect::<rusqlite::Result<_>>()?))
}

pub(super) fn find(db: &Connection, id: WebhookId) -> Result<Option<Webhook>, Problem> {
    let mut select = db.prepare_cached(FIND)?;
    Ok(select.query_row([id.as_bytes()], webhook).optional()?)
}

pub(super) fn add(db: &Connection, webhook: &Webhook) -> Result<(), Problem> {
    let kinds = webhook.kinds.as_ref().map(serde_json::to_string).transpose();
    let kinds = kinds.map_err(|error| Fault::Failed(error.to_string()))?;
    db.prepare_cached(ADD)?.execute(params![
        webhook.id.as_bytes(),
        webhook.room.as_bytes(),
        webhook.url,
        webhook.secret.0,
        webhook.before.as_ref().map(|key| &key.0),
        kinds,
        webhook.ordered,
        state(webhook),
        int(webhook.made.0),
        int(webhook.changed.0),
        webhook.by.as_bytes(),
    ])?;
    count(db, webhook.room)
}

/// Stores what may change of it.
pub(super) fn keep(db: &Connection, webhook: &Webhook) -> Result<(), Problem> {
    let before = webhook.before.as_ref().map(|key| &key.0);
    let (id, changed) = (webhook.id.as_bytes(), int(webhook.changed.0));
    let row = (id, &webhook.secret.0, before, state(webhook), changed);
    db.prepare_cached(KEEP)?.execute(row)?;
    count(db, webhook.room)
}

pub(super) fn remove(db: &Connection, webhook: &Webhook) -> Result<(), Problem> {
    let id = webhook.id.as_bytes();
    db.prepare_cached(REMOVE)?.execute([id])?;
    count(db, webhook.room)
}

/// Removes all those of a room.
pub(super) fn remove_all(db: &Connection, room: i64) -> rusqlite::Result<usize> {
    db.prepare_cached(REMOVE_ALL)?.execute([room])
}

/// Stores how many active ones the room has.
fn count(db: &Connection, room: RoomId) -> Result<(), Problem> {
    db.prepare_cached(COUNT)?.execute([room.as_bytes()])?;
    Ok(())
}

const fn state(webhook: &Webhook) -> i64 {
    match webhook.state {
        HookState::Active => 0,
        HookState::Ended => 1,
    }
}

fn webhook(row: &Row<'_>) -> rusqlite::Result<Webhook> {
    let kinds: Option<String> = row.get(5)?;
    let kinds = kinds.map(|kinds| serde_json::from_str(&kinds)).transpose();
    let kinds = kinds.map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(5, Type::Text, Box::new(error))
    })?;
    Ok(Webhook {
        id: id(row, 0)?,
        room: id(row, 1)?,
        url: row.get(2)?,
        secret: Key(row.get(3)?),
        before: row.get::<_, Option<_>>(4)?.map(Key),
        kinds,
        ordered: row.get(6)?,
        state: if row.get::<_, i64>(7)? == 0 { HookState::Active } else { HookState::Ended },
        made: Timestamp(number(row, 8)?),
        changed: Timestamp(number(row, 9)?),
        by: id(row, 10)?,
        ns: row.get(11)?,
        name: row.get(12)?,
    })
}
