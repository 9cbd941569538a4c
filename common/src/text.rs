//! What a character may do to the text around it, and which names are the same.

/// Whether a character changes the direction of what is around it: the bidirectional embeddings,
/// overrides and isolates (Unicode Standard Annex 9, section 2). In a name they can make one person
/// look like another.
#[must_use]
pub fn steers(character: char) -> bool {
    matches!(
        character,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    )
}

/// What is unique about a room's name in its namespace: white space around it and the case of ASCII
/// letters make no difference.
#[must_use]
pub fn name_key(name: &str) -> String {
    name.trim().to_ascii_lowercase()
}
