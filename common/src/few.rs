//! Lists in bodies and frames that have a bound.

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use std::{fmt, marker::PhantomData};

/// A list that may have up to so many members. Of a longer one no more are kept than show that it is.
#[derive(Debug)]
pub struct Few<T, const MOST: usize>(pub Vec<T>);

impl<T, const MOST: usize> Default for Few<T, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Few<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Members(PhantomData))
    }
}

/// The same for a member that is a plain list.
///
/// # Errors
/// It is no list, or one of those that are kept is not what it should be.
pub fn few<'de, D: Deserializer<'de>, T: Deserialize<'de>, const MOST: usize>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Few::<T, MOST>::deserialize(deserializer).map(|few| few.0)
}

struct Members<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Members<T, MOST> {
    type Value = Few<T, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        while kept.len() <= MOST
            && let Some(member) = list.next_element()?
        {
            kept.push(member);
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Few(kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn of_a_list_with_too_many_no_more_is_kept_than_shows_it() {
        let read = |text: &str| json::read::<Few<u8, 3>>(text).map(|few| few.0);
        assert!(read("[]").unwrap().is_empty());
        assert_eq!(read("[1,2,3]").unwrap(), [1, 2, 3]);
        assert_eq!(read("[1,2,3,4]").unwrap(), [1, 2, 3, 4]);
        // Those behind are not looked at, but that they are JSON.
        assert_eq!(read("[1,2,3,4,\"five\",{}]").unwrap(), [1, 2, 3, 4]);
        assert!(read("[1,2,3,4,5,}]").is_err());
        assert!(read("[1,\"two\"]").is_err());
        assert!(read("7").is_err());
    }
}
