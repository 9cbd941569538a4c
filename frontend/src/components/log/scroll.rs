//! Where the reader is in the log, kept while rows come and go above and below.
//!
//! The frame is laid out from its end (`flex-direction: column-reverse`), so that at the newest
//! event the browser itself sticks to it. Away from it, the first row on the screen is remembered
//! and put back to its place after each change.

use crate::{
    store::HoleRow,
    view::{RowHandle, View},
};
use holdfast_common::{cursor::Offset, id::RoomId};
use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

/// This near to the end is at the end, in pixels.
const END: f64 = 32.0;
/// What is this near to the screen is loaded.
const NEAR: f64 = 800.0;
/// So many rows are too many for a reader at the newest event.
const MANY: usize = 450;

/// Where the reader is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scroll {
    view: View,
    frame: NodeRef<html::Div>,
    /// The first row on the screen and its distance from the top; none at the newest event.
    anchor: StoredValue<Option<(String, f64)>>,
    room: StoredValue<Option<RoomId>>,
    gone_to: StoredValue<Option<Offset>>,
    /// The wishes to be at the newest event that were granted.
    ended: StoredValue<u64>,
    queued: StoredValue<bool>,
    at_end: RwSignal<bool>,
    /// The divider that has been on the screen, or was gone to.
    divider: StoredValue<Option<Offset>>,
    missed_above: RwSignal<bool>,
}

impl Scroll {
    pub(super) fn new(view: View, frame: NodeRef<html::Div>) -> Self {
        Self {
            view,
            frame,
            anchor: StoredValue::new(None),
            room: StoredValue::new(None),
            gone_to: StoredValue::new(None),
            ended: StoredValue::new(view.open.ends.get_untracked()),
            queued: StoredValue::new(false),
            at_end: RwSignal::new(true),
            divider: StoredValue::new(None),
            missed_above: RwSignal::new(false),
        }
    }

    /// Whether the newest event is not on the screen.
    pub(super) fn away(self) -> bool {
        !self.at_end.get() || self.view.open.behind.get()
    }

    /// Rows have changed: once they are rendered, the reader is put back.
    pub(super) fn changed(self) {
        if self.queued.try_get_value() != Some(false) {
            return;
        }
        self.queued.set_value(true);
        request_animation_frame(move || {
            self.queued.try_set_value(false);
            if let Some(frame) = self.frame() {
                self.put_back(&frame);
                self.settle();
            }
        });
    }

    /// Whether what was missed begins above the screen and has not been looked at.
    pub(super) fn missed_above(self) -> bool {
        self.missed_above.get()
    }

    /// Goes to the first event that was missed.
    pub(super) fn to_missed(self) {
        if let Some(missed) = self.view.open.missed.get_untracked() {
            self.divider.set_value(Some(missed));
            self.missed_above.set(false);
            self.view.go_to(missed);
        }
    }

    fn look_for_missed(self, frame: &HtmlElement) {
        let missed = self.view.open.missed.get_untracked();
        let divider = frame.query_selector(".missed").ok().flatten();
        let place = divider.map(|divider| top(frame, &divider));
        if place.is_some_and(|place| place >= 0.0) {
            self.divider.set_value(missed);
        }
        let above = missed.is_some() && missed != self.divider.get_value();
        if self.missed_above.get_untracked() != above {
            self.missed_above.set(above);
        }
    }

    /// Goes to the newest event.
    pub(super) fn to_newest(self) {
        self.view.go_to_newest();
        crate::browser::focus("#message");
    }

    fn frame(self) -> Option<HtmlElement> {
        let frame = self.frame.try_get_untracked()??;
        Some(frame.unchecked_into())
    }

    fn put_back(self, frame: &HtmlElement) {
        let room = self.view.open.room.get_untracked();
        if self.room.get_value() != room {
            self.room.set_value(room);
            self.anchor.set_value(None);
            self.gone_to.set_value(None);
            frame.set_scroll_top(0);
        }
        let found = self.view.open.found.get_untracked();
        if found != self.gone_to.get_value() {
            self.gone_to.set_value(found);
            if let Some(row) = found.and_then(|offset| find(frame, "offset", &offset.to_string())) {
                let middle = (height(frame) - row.get_bounding_client_rect().height()) / 2.0;
                shift(frame, top(frame, &row) - middle.max(0.0));
                return;
            }
        }
        let ends = self.view.open.ends.get_untracked();
        if self.ended.get_value() != ends {
            self.ended.set_value(ends);
            self.anchor.set_value(None);
            frame.set_scroll_top(0);
            return;
        }
        let Some((id, before)) = self.anchor.get_value() else {
            return;
        };
        if let Some(row) = find(frame, "event-id", &id) {
            let moved = top(frame, &row) - before;
            if moved.abs() >= 1.0 {
                shift(frame, moved);
            }
        }
    }

    /// The frame was scrolled. While rows have changed and the reader is not put back yet, where they
    /// seem to be says nothing.
    pub(super) fn scrolled(self) {
        if self.queued.try_get_value() == Some(false) {
            self.settle();
        }
    }

    /// Takes note of where the reader is now, and loads what is near.
    pub(super) fn settle(self) {
        let Some(frame) = self.frame() else { return };
        let view = self.view;
        let below = -f64::from(frame.scroll_top());
        let above = f64::from(frame.scroll_height()) - height(&frame) - below;
        let behind = view.open.behind.get_untracked();
        let at_end = below < END;
        if self.at_end.get_untracked() != at_end {
            self.at_end.set(at_end);
        }
        let newest = at_end && !behind;
        let anchor = if newest { None } else { first_on_screen(&frame) };
        self.anchor.set_value(anchor);
        view.stick(newest);
        let seen = newest && crate::browser::attended();
        if view.open.seen.get_untracked() != seen {
            view.open.seen.set(seen);
        }
        if seen {
            view.reading();
        }
        self.look_for_missed(&frame);
        if newest && view.open.rows.with_untracked(Vec::len) > MANY {
            return view.to_newest();
        }
        if self.fill_near(&frame) {
            return;
        }
        let _ = (above < NEAR && view.up()) || (behind && below < NEAR && view.down());
    }

    /// Asks for the nearest hole that is on the screen or close to it.
    fn fill_near(self, frame: &HtmlElement) -> bool {
        let Ok(holes) = frame.query_selector_all("[data-hole]") else {
            return false;
        };
        for i in (0..holes.length()).rev() {
            let Some(hole) = holes.get(i).and_then(|hole| hole.dyn_into::<Element>().ok()) else {
                continue;
            };
            let place = top(frame, &hole);
            if place < -NEAR || place > height(frame) + NEAR {
                continue;
            }
            let to = hole.get_attribute("data-hole");
            if let Some(row) = to.and_then(|to| self.hole(to.parse().ok()?)) {
                // Who reads downwards has the hole below the middle.
                let from_above = place > height(frame) / 2.0 && i > 0;
                self.view.fill(&row, from_above, false);
                return true;
            }
        }
        false
    }

    fn hole(self, to: Offset) -> Option<HoleRow> {
        self.view.open.rows.with_untracked(|rows| {
            rows.iter().find_map(|row| match row {
                RowHandle::Hole(_, hole) => {
                    let hole = hole.get_untracked();
                    (hole.hole.to == to).then_some(hole)
                }
                _ => None,
            })
        })
    }
}

/// Moves the keyboard's focus to the entry before or behind the one that has it.
pub(super) fn rove(back: bool) -> bool {
    let Some(active) = document().active_element() else {
        return false;
    };
    if !active.matches("[data-event-id]").unwrap_or(false) {
        return false;
    }
    let mut next = Some(active);
    loop {
        next = next.and_then(|element| {
            if back { element.previous_element_sibling() } else { element.next_element_sibling() }
        });
        let Some(element) = &next else { return false };
        if element.matches("[data-event-id]").unwrap_or(false) {
            let element: Option<&HtmlElement> = element.dyn_ref();
            return element.is_some_and(|element| element.focus().is_ok());
        }
    }
}

fn find(frame: &Element, attribute: &str, value: &str) -> Option<Element> {
    let selector = format!("[data-{attribute}=\"{value}\"]");
    frame.query_selector(&selector).ok().flatten()
}

fn height(frame: &Element) -> f64 {
    f64::from(frame.client_height())
}

/// An element's distance from the frame's top.
fn top(frame: &Element, element: &Element) -> f64 {
    element.get_bounding_client_rect().top() - frame.get_bounding_client_rect().top()
}

#[allow(clippy::cast_possible_truncation)] // A log is not two thousand million pixels high.
fn shift(frame: &Element, by: f64) {
    frame.set_scroll_top(frame.scroll_top() + by.round() as i32);
}

/// The first entry that is not above the frame, with its distance from the frame's top.
fn first_on_screen(frame: &Element) -> Option<(String, f64)> {
    let rows = frame.query_selector_all("[data-event-id]").ok()?;
    let row = |i: u32| rows.get(i).and_then(|row| row.dyn_into::<Element>().ok());
    let (mut low, mut high) = (0, rows.length());
    while low < high {
        let middle = low + (high - low) / 2;
        let rect = row(middle)?.get_bounding_client_rect();
        if rect.bottom() <= frame.get_bounding_client_rect().top() {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let row = row(low)?;
    let id = row.get_attribute("data-event-id")?;
    let top = top(frame, &row);
    Some((id, top))
}
