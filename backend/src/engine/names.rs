//! Rooms' names: which are the same, and which one is free.

pub(super) use holdfast_common::text::name_key;

/// The wished name, or the first of "name-2", "name-3"… that is free. `taken` is asked with a
/// [`name_key`]. It looks by doubling and halving, so that a thousand rooms of one name cost
/// twenty questions; where rooms were deleted in between, a later free number may be found.
pub(super) fn free_name<E>(
    wished: &str,
    mut taken: impl FnMut(&str) -> Result<bool, E>,
) -> Result<String, E> {
    let wished = wished.trim();
    if !taken(&name_key(wished))? {
        return Ok(wished.to_owned());
    }
    let numbered = |number: u64| format!("{wished}-{number}");
    let (mut last_taken, mut free) = (1, 2);
    while taken(&name_key(&numbered(free)))? {
        last_taken = free;
        free *= 2;
    }
    while free - last_taken > 1 {
        let middle = last_taken + (free - last_taken) / 2;
        if taken(&name_key(&numbered(middle)))? {
            last_taken = middle;
        } else {
            free = middle;
        }
    }
    Ok(numbered(free))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, convert::Infallible};

    #[test]
    fn a_taken_name_gets_the_next_number_and_few_questions() {
        let mut names = BTreeSet::new();
        for number in 1..=1000 {
            let mut asked = 0;
            let Ok(name) = free_name(" Ward ", |key| {
                asked += 1;
                Ok::<_, Infallible>(names.contains(key))
            });
            let expected = if number == 1 { "Ward".to_owned() } else { format!("Ward-{number}") };
            assert_eq!(name, expected);
            assert!(asked <= 22, "{asked} questions for number {number}");
            assert!(names.insert(name_key(&name)));
        }
    }
}
