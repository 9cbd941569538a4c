//! Where a reader stands in a room's log, and how it proves that the log is still the one it read.
//!
//! Offsets are dense from 1 within an [`Epoch`]. Each entry carries a [`Mark`], a digest that rolls
//! over the (offset, id) of every entry up to it. A cursor remembers the mark of the last entry it
//! applied; a log that was silently rolled back and grew again has another mark at that offset, and
//! the cursor finds out instead of hearing "nothing new".

use crate::{
    id::{Epoch, EventId},
    planted::{Planted, planted},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

/// A place in a room's log. The first entry stands at 1; 0 is the place before it.
pub type Offset = u64;

/// The rolling digest of a log up to an entry: 64 bits, 16 hexadecimal digits on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Mark(pub u64);

/// 64-bit FNV-1a's prime and offset basis (draft-eastlake-fnv, section 5).
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;
const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;

impl Mark {
    /// The mark before the first entry.
    pub const START: Self = Self(0);

    /// The mark of the entry at `offset` with `id`, where `self` is the mark of the entry before:
    /// 64-bit FNV-1a over the 32 bytes (mark, offset, id), integers big-endian.
    #[must_use]
    pub fn next(self, offset: Offset, id: EventId) -> Self {
        let bytes = self.0.to_be_bytes().into_iter().chain(offset.to_be_bytes());
        let hash = bytes
            .chain(*id.as_bytes())
            .fold(FNV_BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME));
        Self(hash)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mark({self})")
    }
}

impl Serialize for Mark {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mark {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        if text.len() != 16 {
            return Err(D::Error::custom("a mark has 16 hexadecimal digits"));
        }
        u64::from_str_radix(&text, 16).map(Self).map_err(D::Error::custom)
    }
}

/// The last entry a reader has applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The incarnation of the log that was read.
    pub epoch: Epoch,
    /// The last applied entry's offset; 0 before the first.
    pub offset: Offset,
    /// The last applied entry's mark.
    pub mark: Mark,
}

/// What a reader does with an entry that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// It is the next one: apply it and move the cursor to this one.
    Next(Cursor),
    /// It is at or below the cursor: applied already, drop it.
    Known,
    /// Entries between the cursor and this one are missing: ask for them.
    Missing,
    /// It follows another history than the one applied: start over with a reset.
    Forked,
}

impl Cursor {
    /// The cursor of a reader that has applied nothing of this epoch.
    #[must_use]
    pub fn start(epoch: Epoch) -> Self {
        Self { epoch, offset: 0, mark: Mark::START }
    }

    /// Judges an entry that came from the log of `epoch`.
    #[must_use]
    pub fn accept(&self, epoch: Epoch, offset: Offset, id: EventId, mark: Mark) -> Accept {
        if epoch != self.epoch {
            return Accept::Forked;
        }
        if offset <= self.offset {
            return Accept::Known;
        }
        if planted(Planted::AnyEntryIsNext) {
            return Accept::Next(Self { epoch, offset, mark });
        }
        if offset != self.offset + 1 {
            return Accept::Missing;
        }
        if self.mark.next(offset, id) != mark {
            return Accept::Forked;
        }
        Accept::Next(Self { epoch, offset, mark })
    }
}

/// Where a log ends and begins, as its engine tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The incarnation.
    pub epoch: Epoch,
    /// The last durable entry's offset; 0 while there is none.
    pub offset: Offset,
    /// The last durable entry's mark.
    pub mark: Mark,
    /// The first offset that is still in the log; everything below was trimmed. 1 for a whole log.
    pub first: Offset,
}

impl Head {
    /// This head as the cursor of a reader that has caught up.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor { epoch: self.epoch, offset: self.offset, mark: self.mark }
    }
}

/// Why a cursor cannot be gone on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetReason {
    /// The log was restored or made anew: another epoch.
    Epoch,
    /// The cursor is ahead of the log: the server lost entries that this reader has applied.
    Future,
    /// The entry at the cursor's offset is another one than the reader applied.
    Forked,
    /// A reason of a newer server.
    #[serde(other)]
    Unknown,
}

/// Decides whether a reader may go on from `cursor`. `mark_at` is the log's own mark at the
/// cursor's offset, `None` where the entry was trimmed (its continuity can no longer be checked,
/// and the trimmed part is told as a gap).
///
/// # Errors
/// The reason why the reader has to start over.
pub fn check(cursor: &Cursor, head: &Head, mark_at: Option<Mark>) -> Result<(), ResetReason> {
    if planted(Planted::CursorUnchecked) && cursor.offset <= head.offset {
        return Ok(());
    }
    if cursor.epoch != head.epoch {
        return Err(ResetReason::Epoch);
    }
    if cursor.offset > head.offset {
        return Err(ResetReason::Future);
    }
    match mark_at {
        Some(mark) if mark != cursor.mark => Err(ResetReason::Forked),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> EventId {
        EventId::from_bytes([n; 16])
    }

    fn epoch(n: u8) -> Epoch {
        Epoch::from_bytes([n; 16])
    }

    #[test]
    fn the_mark_of_a_known_entry_is_frozen() {
        assert_eq!(Mark::START.next(1, id(1)).to_string(), "66ed1e4df3bca322");
    }

    #[test]
    fn a_cursor_takes_each_entry_once_and_skips_none() {
        let start = Cursor::start(epoch(1));
        let mark = Mark::START.next(1, id(1));
        let Accept::Next(one) = start.accept(epoch(1), 1, id(1), mark) else {
            panic!("the first entry is next")
        };
        assert_eq!(one.accept(epoch(1), 1, id(1), mark), Accept::Known);
        let third = mark.next(2, id(2)).next(3, id(3));
        assert_eq!(one.accept(epoch(1), 3, id(3), third), Accept::Missing);
        assert_eq!(one.accept(epoch(2), 2, id(2), mark.next(2, id(2))), Accept::Forked);
        assert_eq!(one.accept(epoch(1), 2, id(2), mark.next(2, id(9))), Accept::Forked);
    }

    #[test]
    fn a_cursor_of_another_epoch_from_the_future_or_of_another_history_is_reset() {
        let mark = Mark::START.next(1, id(1));
        let head = Head { epoch: epoch(1), offset: 1, mark, first: 1 };
        let here = head.cursor();
        assert_eq!(check(&here, &head, Some(mark)), Ok(()));
        assert_eq!(check(&here, &head, None), Ok(()));
        let elsewhere = Cursor { epoch: epoch(2), ..here };
        assert_eq!(check(&elsewhere, &head, Some(mark)), Err(ResetReason::Epoch));
        let ahead = Cursor { offset: 2, ..here };
        assert_eq!(check(&ahead, &head, None), Err(ResetReason::Future));
        let forked = Cursor { mark: Mark(7), ..here };
        assert_eq!(check(&forked, &head, Some(mark)), Err(ResetReason::Forked));
    }
}
