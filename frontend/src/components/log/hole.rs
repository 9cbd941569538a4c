//! What of the log is not held: what can be had is loaded as it comes near, the rest is told.

use crate::components::{
    Glyph, Icon,
    pieces::{fresh, press},
};
use crate::{
    format,
    link::{Hole, HoleKind},
    store::HoleRow,
    view::use_view,
};
use holdfast_common::{cursor::ResetReason, frame::GapReason};
use leptos::prelude::*;

/// A part of the log that is not held.
pub(super) fn hole(row: RwSignal<HoleRow>) -> AnyView {
    fresh(move || {
        let HoleRow { hole, asking } = row.get();
        match reason(hole.kind) {
            None => skipped(row, &hole, asking),
            Some(reason) => view! {
                <div
                    class="gap"
                    role="note"
                    data-gap-reason=reason
                    data-gap-count=hole.count.to_string()
                >
                    <Icon glyph=Glyph::Gap />
                    <span>{words(&hole)}</span>
                </div>
            }
            .into_any(),
        }
    })
}

fn skipped(row: RwSignal<HoleRow>, hole: &Hole, asking: bool) -> AnyView {
    let view = use_view();
    let load = press(move || view.fill(&row.get_untracked(), false, true));
    let words = match hole.count {
        _ if asking => "Loading earlier messages…".to_owned(),
        0 => "Load earlier messages".to_owned(),
        count => format!("Load {}", format::count(count, "earlier message")),
    };
    view! {
        <div class="hole" data-hole=hole.to.to_string()>
            <button class="pill" type="button" disabled=asking on:click=load>
                {words}
            </button>
        </div>
    }
    .into_any()
}

/// As in `data-gap-reason`; `None` for what can be had.
fn reason(kind: HoleKind) -> Option<&'static str> {
    match kind {
        HoleKind::Skipped => None,
        HoleKind::Gap(GapReason::Trimmed) => Some("trimmed"),
        HoleKind::Gap(GapReason::Absent) => Some("absent"),
        HoleKind::Gap(GapReason::Reset) | HoleKind::Reset(_) => Some("reset"),
        HoleKind::Gap(GapReason::Unknown) => Some("unknown"),
    }
}

fn words(hole: &Hole) -> String {
    let events = format::count(hole.count, "event");
    let are = if hole.count == 1 { "is" } else { "are" };
    let were = if hole.count == 1 { "was" } else { "were" };
    match hole.kind {
        HoleKind::Skipped => String::new(),
        HoleKind::Gap(GapReason::Trimmed) => {
            format!("{events} {were} here and {are} no longer kept by the server.")
        }
        HoleKind::Gap(GapReason::Absent) => {
            format!("{events} came while you were not in this room.")
        }
        HoleKind::Gap(GapReason::Reset) => {
            format!("{events} cannot be shown: the server has another history of this room now.")
        }
        HoleKind::Gap(GapReason::Unknown) => format!("{events} {were} here and cannot be shown."),
        HoleKind::Reset(reason) => {
            let why = match reason {
                ResetReason::Epoch => "The server has started this room’s log anew.",
                ResetReason::Future => "The server has lost the newest part of this room’s log.",
                ResetReason::Unknown => "The server has another log of this room now.",
                ResetReason::Forked => {
                    "The server’s log of this room is another one than you had read."
                }
            };
            // Some of them may stand among what follows: which, nothing here knows any more.
            let had = (hole.count > 0)
                .then(|| format!(" You had {events} of it; what the server has now follows."));
            format!("{why}{}", had.unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hole(kind: HoleKind, count: u64) -> Hole {
        Hole { from: 1, to: count, count, kind }
    }

    #[test]
    fn every_gap_is_told_in_plain_words_with_its_count() {
        let trimmed = hole(HoleKind::Gap(GapReason::Trimmed), 1);
        assert_eq!(words(&trimmed), "1 event was here and is no longer kept by the server.");
        let absent = hole(HoleKind::Gap(GapReason::Absent), 12);
        assert_eq!(words(&absent), "12 events came while you were not in this room.");
        let reset = hole(HoleKind::Reset(ResetReason::Epoch), 3);
        assert_eq!(
            words(&reset),
            "The server has started this room’s log anew. You had 3 events of it; what the server has now follows."
        );
    }

    #[test]
    fn what_can_be_had_is_no_gap() {
        assert_eq!(reason(HoleKind::Skipped), None);
        assert_eq!(reason(HoleKind::Reset(ResetReason::Forked)), Some("reset"));
    }
}
