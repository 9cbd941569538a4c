//! The keyboard's place among cards that move.

use crate::browser;
use leptos::prelude::{document, request_animation_frame};

/// The card that had the keyboard's focus before something moved.
pub(super) struct Kept(Option<String>);

impl Kept {
    pub(super) fn find() -> Self {
        let active = document().active_element();
        let card = active.and_then(|active| active.closest("[data-job-id]").ok().flatten());
        Self(card.and_then(|card| card.get_attribute("data-job-id")))
    }

    /// Gives the focus back once all stands where it is to stand, if it would else be lost: to the same
    /// card wherever it is by then, or to the list that it left.
    pub(super) fn keep(self) {
        let Some(job) = self.0 else { return };
        request_animation_frame(move || {
            let lost = || document().active_element().is_none_or(|it| it.tag_name() == "BODY");
            if lost() {
                browser::focus(&format!("[data-job-id=\"{job}\"]"));
            }
            // Where one column is seen at a time, the card may be in another.
            if lost() {
                browser::focus_any(&[".lane[aria-pressed=true]", "#main"]);
            }
        });
    }
}
