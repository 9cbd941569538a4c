//! What a character may do to the text around it.

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
