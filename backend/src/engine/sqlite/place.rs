//! An entry's key: the room's row and the offset in one number.

use holdfast_common::cursor::Offset;

/// Bits of a key that hold the offset; the 25 above them hold the room's row.
const OFFSET_BITS: u32 = 38;

/// The last offset a room's log can have: 274 thousand million.
pub(super) const LAST_OFFSET: Offset = (1 << OFFSET_BITS) - 1;

/// The last row a room can have: 33 million.
pub(super) const LAST_ROOM: i64 = (1 << (63 - OFFSET_BITS)) - 1;

/// The key of the entry at `offset`, or of the last there can be where `offset` is beyond it.
pub(super) fn place(room: i64, offset: Offset) -> i64 {
    room << OFFSET_BITS | offset.min(LAST_OFFSET).cast_signed()
}

/// The offset in a key.
pub(super) fn offset(place: i64) -> Offset {
    place.cast_unsigned() & LAST_OFFSET
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_by_room_and_then_by_offset() {
        let places = [
            place(1, 0),
            place(1, 1),
            place(1, LAST_OFFSET),
            place(2, 0),
            place(LAST_ROOM, LAST_OFFSET),
        ];
        assert!(places.is_sorted());
        assert_eq!(places[4], i64::MAX);
        assert_eq!(place(1, Offset::MAX), places[2]);
        assert_eq!(offset(places[2]), LAST_OFFSET);
        assert_eq!(offset(place(7, 42)), 42);
    }
}
