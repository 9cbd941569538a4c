//! Values as they stand in rows.

use super::place;
use holdfast_common::{
    cursor::Mark,
    frame::{Author, Entry},
    id::{Epoch, EventId, JobId, PersonId, RoomId, ScheduleId, WebhookId},
    time::Timestamp,
};
use rusqlite::{Result, Row, types::Type};
use serde_json::value::RawValue;

/// Selects what [`entry`] reads from the entries that the given index finds, with `e` for them.
macro_rules! select_entries {
    ($index:literal, $rest:literal) => {
        concat!(
            "SELECT e.place, e.id, e.mark, e.kind, e.author, e.author_name, e.at, c.data,
                e.prior_item
             FROM entries e ",
            $index,
            " LEFT JOIN contents c ON c.seq = e.content AND e.hollow = 0 ",
            $rest
        )
    };
}
pub(super) use select_entries;

/// A number of 64 bits without sign, as it is stored.
pub(super) fn int(number: u64) -> i64 {
    number.cast_signed()
}

/// A stored number of 64 bits without sign.
pub(super) fn number(row: &Row<'_>, column: usize) -> Result<u64> {
    row.get(column).map(i64::cast_unsigned)
}

/// An id in a column.
pub(super) trait Id: Sized {
    fn read(row: &Row<'_>, column: usize) -> Result<Self>;
}

macro_rules! ids {
    ($($id:ident)*) => {
        $(impl Id for $id {
            fn read(row: &Row<'_>, column: usize) -> Result<Self> {
                row.get(column).map(Self::from_bytes)
            }
        })*
    };
}

ids! { Epoch EventId JobId PersonId RoomId ScheduleId WebhookId }

pub(super) fn id<T: Id>(row: &Row<'_>, column: usize) -> Result<T> {
    T::read(row, column)
}

/// An entry from a row of [`select_entries!`].
pub(super) fn entry(row: &Row<'_>) -> Result<Entry> {
    let data: Option<String> = row.get(7)?;
    Ok(Entry {
        offset: place::offset(row.get(0)?),
        id: id(row, 1)?,
        mark: Mark(number(row, 2)?),
        kind: row.get(3)?,
        from: Author { id: id(row, 4)?, name: row.get(5)? },
        at: Timestamp(number(row, 6)?),
        data: data.map(|data| json(data, 7)).transpose()?,
    })
}

/// JSON from a column.
pub(super) fn json(text: String, column: usize) -> Result<Box<RawValue>> {
    RawValue::from_string(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}
