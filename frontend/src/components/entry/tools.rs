//! What can be done with an event.

use crate::{
    browser,
    components::{
        Glyph, Icon,
        pieces::{Press, fresh, press, text, when},
    },
    store::{Body, EntryRow, State},
    view::View,
};
use holdfast_common::{cursor::Offset, id::EventId};
use leptos::{ev, prelude::*};
use std::time::Duration;

/// How long it is said that something was copied.
const TOLD: Duration = Duration::from_millis(1500);

/// What is offered, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Offers {
    link: bool,
    edit: bool,
    /// The word for taking it back, if it can be.
    take_back: Option<&'static str>,
}

/// What can be done where one can write, or can write no more.
fn offers(entry: &EntryRow, writable: bool) -> Offers {
    let spoken = matches!(entry.body, Body::Text(_));
    let pending = entry.pending.as_ref();
    let deleting = pending.is_some_and(|pending| pending.text.is_none());
    let mine = entry.own && !deleting && writable;
    Offers {
        link: entry.offset.is_some(),
        edit: mine && spoken && !matches!(entry.state, State::Rejected(_)),
        take_back: match entry.state {
            // A refused event has its buttons beside the reason.
            State::Rejected(_) => None,
            State::Queued => Some("Discard"),
            State::Sent | State::Acked => (mine && spoken).then_some("Delete"),
        },
    }
}

/// The buttons of an event: seen under the pointer and with the keyboard's focus.
pub(super) fn tools(view: View, entry: RwSignal<EntryRow>, active: Signal<bool>) -> AnyView {
    let offers = Memo::new(move |_| {
        let writable = view.open.writable.get();
        entry.with(|entry| offers(entry, writable))
    });
    let tab = text(move || if active.get() { "0" } else { "-1" }.into());
    let edit = move || view.edit(&entry.get_untracked());
    let take_back = move || {
        let entry = entry.get_untracked();
        if entry.state == State::Queued {
            step_off(entry.id)
        } else {
            step_back(entry.id)
        }
        if let Some(room) = view.open.room.get_untracked() {
            view.take_back(room, &entry);
        }
    };
    let asking = RwSignal::new(false);
    let left: Box<dyn FnMut(ev::FocusEvent)> = Box::new(move |_| {
        asking.try_set(false);
    });
    // A key that is held down presses a button once: it would answer its own question.
    let once: Box<dyn FnMut(ev::KeyboardEvent)> = Box::new(|event| {
        if event.repeat() && event.key() == "Enter" {
            event.prevent_default();
        }
    });
    // Each by itself: a button that stays is not made anew under the pointer as the event comes along.
    let linked = when(move || offers.get().link, move || copy_link(view, entry, tab));
    let edited = when(
        move || offers.get().edit,
        move || tool(text(|| "Edit".into()), Glyph::Pencil, tab, press(edit)),
    );
    let taken_back = Memo::new(move |_| offers.get().take_back);
    let taken_back = fresh(move || match taken_back.get() {
        Some("Delete") => delete(asking, tab, take_back),
        Some(name) => tool(text(|| name.into()), Glyph::Bin, tab, press(take_back)),
        None => ().into_any(),
    });
    view! {
        <div class="entry-tools" on:focusout=left on:keydown=once>
            {linked}
            {edited}
            {taken_back}
        </div>
    }
    .into_any()
}

/// What everyone has read is deleted by a second press: the button asks once, in words, until it
/// loses the focus.
fn delete(asking: RwSignal<bool>, tab: Signal<String>, deed: impl Fn() + 'static) -> AnyView {
    let name = text(move || if asking.get() { "Delete?" } else { "Delete" }.into());
    let press: Press = Box::new(move |event| {
        // The second half of a double click is no answer.
        if !asking.get_untracked() {
            asking.set(true);
            // Not every browser gives it to a button that is pressed.
            request_animation_frame(|| browser::focus("[title='Delete?']"));
        } else if event.detail() < 2 {
            deed();
        }
    });
    tool(name, Glyph::Bin, tab, press)
}

/// The button that was pressed goes: the keyboard stays on its entry.
pub(super) fn step_back(id: EventId) {
    browser::focus(&format!("[data-event-id='{id}']"));
}

/// The entry itself goes: the keyboard moves to the next one, or else to the one before.
pub(super) fn step_off(id: EventId) {
    let entry = format!("article[data-event-id='{id}']");
    let next = format!("{entry} ~ article");
    let before = format!("article:has(+ {entry})");
    browser::focus_any(&[&next, &before, "#message"]);
}

/// Copies the event's address, and says so for a moment.
fn copy_link(view: View, entry: RwSignal<EntryRow>, tab: Signal<String>) -> AnyView {
    let copied = RwSignal::new(false);
    let name = text(move || if copied.get() { "Link copied" } else { "Copy link" }.into());
    let copy = press(move || {
        let offset = entry.with_untracked(|entry| entry.offset);
        if let Some(path) = offset.and_then(|offset| address(view, offset)) {
            browser::copy(&format!("{}{path}", browser::origin()));
            copied.set(true);
            let forget = move || {
                copied.try_set(false);
            };
            set_timeout(forget, TOLD);
        }
    });
    tool(name, Glyph::Link, tab, copy)
}

fn tool(name: Signal<String>, glyph: Glyph, tab: Signal<String>, press: Press) -> AnyView {
    view! {
        <button class="tool" type="button" aria-label=name title=name tabindex=tab on:click=press>
            <Icon glyph />
        </button>
    }
    .into_any()
}

/// The address of a place in the open room.
pub(super) fn address(view: View, offset: Offset) -> Option<String> {
    let room = view.open.room.get_untracked()?;
    let path = view.lines.with_untracked(|lines| {
        let line = lines.iter().find(|line| line.id == room);
        line.map(browser::path)
    })?;
    Some(format!("{path}?at={offset}"))
}
