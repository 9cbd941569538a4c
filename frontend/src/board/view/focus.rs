//! The keyboard's place among what moves.

use crate::browser;
use leptos::prelude::{document, request_animation_frame};
use web_sys::Element;

/// The card, the queue in the list, or the button of the audit that had the keyboard's focus before
/// something moved.
pub(super) struct Kept(Option<String>);

impl Kept {
    pub(super) fn find() -> Self {
        let active = document().active_element();
        let known = active.and_then(|it| it.closest("[data-job-id],.queue,#audit").ok().flatten());
        let by = |known: &Element, name: &str| {
            Some(format!("[{name}=\"{}\"]", known.get_attribute(name)?))
        };
        // What changes while it is read has but one: that for what is older.
        let of = |it: Element| match it.id().as_str() {
            "audit" => Some("#audit button".to_owned()),
            _ => by(&it, "data-job-id").or_else(|| by(&it, "href")),
        };
        Self(known.and_then(of))
    }

    /// Gives the focus back once all stands where it is to stand, if it would else be lost: to the same
    /// card wherever it is by then, or to the list or the notes that it left.
    pub(super) fn keep(self) {
        let Some(known) = self.0 else { return };
        request_animation_frame(move || {
            let lost = || document().active_element().is_none_or(|it| it.tag_name() == "BODY");
            if lost() {
                browser::focus_any(&[&known, "#audit"]);
            }
            // Where one column is seen at a time, the card may be in another.
            if lost() {
                browser::focus_any(&[".lane[aria-pressed=true]", "#main"]);
            }
        });
    }
}
