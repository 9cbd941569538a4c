//! What a number means in its lane. The one place where that is decided.

/// Where an append's number stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// At or below the floor: the client has settled it, its verdict is forgotten.
    Settled,
    /// Decided before, above the floor: its verdict is told again.
    Before,
    /// It is the one to decide now.
    Next,
    /// It is ahead; this one is expected.
    Expected(u64),
}

/// A lane's watermark once `floor` is known. A floor above it means that the server lost history:
/// what the client has settled is decided, whether or not the server remembers.
pub(super) fn raised(watermark: u64, floor: u64) -> u64 {
    watermark.max(floor)
}

/// Where `n` stands in a lane whose watermark was [`raised`] to at least `floor`.
pub(super) fn turn(watermark: u64, floor: u64, n: u64) -> Turn {
    if n <= floor {
        Turn::Settled
    } else if n <= watermark {
        Turn::Before
    } else if n - watermark == 1 {
        Turn::Next
    } else {
        Turn::Expected(watermark + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_of_a_lane_has_one_turn() {
        assert_eq!(turn(7, 4, 4), Turn::Settled);
        assert_eq!(turn(7, 4, 5), Turn::Before);
        assert_eq!(turn(7, 4, 7), Turn::Before);
        assert_eq!(turn(7, 4, 8), Turn::Next);
        assert_eq!(turn(7, 4, 9), Turn::Expected(8));
    }

    #[test]
    fn the_ends_of_the_numbers_are_no_trap() {
        assert_eq!(turn(0, 0, 0), Turn::Settled);
        assert_eq!(turn(u64::MAX, u64::MAX, u64::MAX), Turn::Settled);
        assert_eq!(turn(u64::MAX - 1, 0, u64::MAX), Turn::Next);
        assert_eq!(turn(u64::MAX, 0, u64::MAX), Turn::Before);
        assert_eq!(raised(3, 9), 9);
    }
}
