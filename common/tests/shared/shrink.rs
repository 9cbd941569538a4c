//! The short part of a long list that still does what the whole does.

/// The shortest list found that still fails: parts are left out, larger ones first.
pub fn shorter<T: Clone>(mut all: Vec<T>, fails: impl Fn(&[T]) -> bool) -> Vec<T> {
    let mut part = all.len() / 2;
    while part > 0 {
        let mut at = 0;
        while at < all.len() {
            let mut shorter = all.clone();
            shorter.drain(at..(at + part).min(all.len()));
            if fails(&shorter) {
                all = shorter;
            } else {
                at += part;
            }
        }
        part /= 2;
    }
    all
}
