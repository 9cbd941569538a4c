//! What is drawn from the seed. Each part has dice of its own, so that what one draws does not
//! depend on when another one did.

use holdfast_common::backoff::Dice;

#[derive(Debug, Clone)]
pub(crate) struct Chance(Dice);

impl Chance {
    /// The `n`th dice of the part of that name.
    pub(crate) fn new(seed: u64, part: &str, n: u64) -> Self {
        let name = part.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let mut dice = Dice::new(seed ^ name ^ n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        dice.up_to(u64::MAX);
        Self(dice)
    }

    /// From `least` to `most`, both included.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.0.up_to(most - least)
    }

    /// True so many times of a hundred.
    pub(crate) fn percent(&mut self, share: u64) -> bool {
        self.0.up_to(99) < share
    }

    pub(crate) fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.index(all.len())]
    }

    /// A place in a list of that length.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.0.up_to(length as u64 - 1)).expect("it is below a length")
    }

    pub(crate) fn any(&mut self) -> u64 {
        self.0.up_to(u64::MAX)
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| u8::try_from(self.0.up_to(255)).expect("it is at most 255"))
    }
}
