//! A room's row.

use super::rows::{id, int, number};
use holdfast_common::{
    cursor::{Head, Mark, Offset},
    frame::RoomInfo,
    id::{PersonId, RoomId},
};
use rusqlite::{Connection, OptionalExtension, Result, Row};

/// The columns that [`Room::read`] reads, in their order.
macro_rules! room_columns {
    () => {
        "r.seq, r.id, r.namespace, r.name, r.creator, r.version, r.gone, r.epoch, r.head, r.mark, \
         r.first, r.trimmed_mark, r.counted, r.owner, r.last_item, \
         r.hooks"
    };
}
pub(super) use room_columns;

pub(super) struct Room {
    pub(super) seq: i64,
    pub(super) id: RoomId,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) creator: PersonId,
    /// Whose inbox it is.
    pub(super) owner: Option<PersonId>,
    pub(super) version: u64,
    pub(super) gone: bool,
    pub(super) head: Head,
    /// The mark before the first entry that is left.
    pub(super) trimmed_mark: Mark,
    /// Entries up to the head that a person would count, hollow and trimmed ones included.
    pub(super) counted: u64,
    /// The last entry that stands for itself, 0 if there is none; it may be trimmed.
    pub(super) last_item: Offset,
    /// It has webhooks that are active.
    pub(super) hooked: bool,
}

impl Room {
    pub(super) fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            id: id(row, 1)?,
            namespace: row.get(2)?,
            name: row.get(3)?,
            creator: id(row, 4)?,
            version: number(row, 5)?,
            gone: row.get(6)?,
            head: Head {
                epoch: id(row, 7)?,
                offset: number(row, 8)?,
                mark: Mark(number(row, 9)?),
                first: number(row, 10)?,
            },
            trimmed_mark: Mark(number(row, 11)?),
            counted: number(row, 12)?,
            owner: row.get::<_, Option<_>>(13)?.map(PersonId::from_bytes),
            last_item: number(row, 14)?,
            hooked: number(row, 15)? > 0,
        })
    }

    pub(super) fn find(db: &Connection, room: RoomId) -> Result<Option<Self>> {
        let sql = concat!("SELECT ", room_columns!(), " FROM rooms r WHERE r.id = ?1");
        db.prepare_cached(sql)?.query_row([room.as_bytes()], Self::read).optional()
    }

    /// The same, for a person: an inbox is there for its owner and the server alone.
    pub(super) fn find_for(
        db: &Connection,
        person: PersonId,
        room: RoomId,
    ) -> Result<Option<Self>> {
        Ok(Self::find(db, room)?.filter(|room| room.is_there_for(person)))
    }

    /// See [`Room::find_for`].
    pub(super) fn is_there_for(&self, person: PersonId) -> bool {
        self.owner.is_none_or(|owner| owner == person || person == PersonId::NIL)
    }

    /// The live room whose name has this key.
    pub(super) fn named(db: &Connection, namespace: &str, key: &str) -> Result<Option<Self>> {
        let sql = concat!(
            "SELECT ",
            room_columns!(),
            " FROM rooms r WHERE r.namespace = ?1 AND r.name_key = ?2 AND r.gone = 0 \
             AND r.owner IS NULL"
        );
        db.prepare_cached(sql)?.query_row([namespace, key], Self::read).optional()
    }

    /// A person's inbox.
    pub(super) fn inbox(
        db: &Connection,
        person: PersonId,
        namespace: &str,
    ) -> Result<Option<Self>> {
        let sql = concat!(
            "SELECT ",
            room_columns!(),
            " FROM rooms r WHERE r.owner = ?1 AND r.namespace = ?2 AND r.gone = 0"
        );
        let key = (person.as_bytes(), namespace);
        db.prepare_cached(sql)?.query_row(key, Self::read).optional()
    }

    pub(super) fn info(&self, joined: bool) -> RoomInfo {
        RoomInfo {
            room: self.id,
            ns: self.namespace.clone(),
            name: self.name.clone(),
            head: self.head,
            joined,
            gone: self.gone,
            inbox: self.owner.is_some(),
        }
    }

    /// Stores what an append moves.
    pub(super) fn store_head(&self, db: &Connection) -> Result<()> {
        let sql = "UPDATE rooms SET head = ?2, mark = ?3, counted = ?4, last_item = ?5
            WHERE seq = ?1";
        let (head, mark) = (int(self.head.offset), int(self.head.mark.0));
        let row = (self.seq, head, mark, int(self.counted), int(self.last_item));
        db.prepare_cached(sql)?.execute(row).map(drop)
    }
}
