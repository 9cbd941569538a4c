//! Changes of an input that keep most of its form: so they come further than random bytes do.

use proptest::{prelude::*, sample::Index};
use std::fmt;

/// Numbers at which arithmetic goes wrong, if it does.
const NUMBERS: [&str; 12] = [
    "0",
    "1",
    "2",
    "9",
    "4294967295",
    "9007199254740993",
    "9223372036854775807",
    "18446744073709551614",
    "18446744073709551615",
    "18446744073709551616",
    "-1",
    "1e999",
];

/// Values that stand where others are meant.
const VALUES: [&str; 10] = [
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "\"\\u0000\\ud83d\"",
    "[[[[[[[[[[[[]]]]]]]]]]]]",
    "\"00000000-0000-0000-0000-000000000000\"",
    "\"0199c82c-c000-7a00-8a00-000000000001\"",
    "{\"epoch\":\"00000000-0000-0000-0000-000000000000\",\"offset\":0,\"mark\":\"0000000000000000\"}",
];

/// One change.
#[derive(Debug, Clone)]
pub enum Change {
    /// Another byte.
    Byte(Index, u8),
    /// A part that is missing.
    Cut(Index, u8),
    /// A part that is there twice.
    Twice(Index, u8),
    /// One of its numbers.
    Number(Index, Index),
    /// The value of one of its members.
    Value(Index, Index),
}

impl Arbitrary for Change {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let at = any::<Index>;
        prop_oneof![
            1 => (at(), any::<u8>()).prop_map(|(at, byte)| Self::Byte(at, byte)),
            1 => (at(), any::<u8>()).prop_map(|(at, length)| Self::Cut(at, length)),
            1 => (at(), any::<u8>()).prop_map(|(at, length)| Self::Twice(at, length)),
            4 => (at(), at()).prop_map(|(at, which)| Self::Number(at, which)),
            3 => (at(), at()).prop_map(|(at, which)| Self::Value(at, which)),
        ]
        .boxed()
    }
}

impl Change {
    /// The input with this change.
    pub fn of(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        if bytes.is_empty() {
            return bytes;
        }
        match self {
            Self::Byte(at, byte) => *at.get_mut(&mut bytes) = *byte,
            Self::Cut(at, length) => {
                let from = at.index(bytes.len());
                let to = bytes.len().min(from + usize::from(*length));
                bytes.drain(from..to);
            }
            Self::Twice(at, length) => {
                let from = at.index(bytes.len());
                let to = bytes.len().min(from + usize::from(*length));
                let again = bytes[from..to].to_vec();
                bytes.splice(to..to, again);
            }
            Self::Number(at, which) => {
                let numbers = numbers(&bytes);
                if !numbers.is_empty() {
                    let (from, to) = *at.get(&numbers);
                    bytes.splice(from..to, which.get(&NUMBERS).bytes());
                }
            }
            Self::Value(at, which) => {
                let colons = positions(&bytes, |it| *it == b':');
                if !colons.is_empty() {
                    let from = at.get(&colons) + 1;
                    let to = from + value_length(&bytes[from..]);
                    bytes.splice(from..to, which.get(&VALUES).bytes());
                }
            }
        }
        bytes
    }
}

fn positions(bytes: &[u8], is: impl Fn(&u8) -> bool) -> Vec<usize> {
    bytes.iter().enumerate().filter(|(_, byte)| is(byte)).map(|(at, _)| at).collect()
}

/// Where its numbers begin and end: digits that stand behind no other digit or letter.
fn numbers(bytes: &[u8]) -> Vec<(usize, usize)> {
    let begins =
        |at: &usize| *at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'-');
    let starts = positions(bytes, u8::is_ascii_digit).into_iter().filter(begins);
    let end =
        |from: usize| from + bytes[from..].iter().take_while(|it| it.is_ascii_digit()).count();
    starts.map(|from| (from, end(from))).collect()
}

/// How long the JSON value is that begins here; 0 for none.
fn value_length(bytes: &[u8]) -> usize {
    let mut values =
        serde_json::Deserializer::from_slice(bytes).into_iter::<serde::de::IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => values.byte_offset(),
        _ => 0,
    }
}

/// An input, shown as a text.
#[derive(Clone)]
pub struct Changed(pub Vec<u8>);

impl fmt::Debug for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}
