//! What can be done with an event.

use crate::{
    browser,
    components::{
        Glyph, Icon,
        pieces::{Press, fresh, press, text},
    },
    store::{Body, EntryRow, State},
    view::View,
};
use holdfast_common::cursor::Offset;
use leptos::prelude::*;
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

fn offers(entry: &EntryRow) -> Offers {
    let spoken = matches!(entry.body, Body::Text(_));
    let pending = entry.pending.as_ref();
    let deleting = pending.is_some_and(|pending| pending.text.is_none());
    let mine = entry.own && !deleting;
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
    let offers = Memo::new(move |_| entry.with(offers));
    let tab = text(move || if active.get() { "0" } else { "-1" }.into());
    let edit = move || view.edit(&entry.get_untracked());
    let take_back = move || {
        if let Some(room) = view.open.room.get_untracked() {
            view.take_back(room, &entry.get_untracked());
        }
    };
    fresh(move || {
        let offers = offers.get();
        let mut tools = Vec::new();
        if offers.link {
            tools.push(copy_link(view, entry, tab));
        }
        if offers.edit {
            tools.push(tool(text(|| "Edit".into()), Glyph::Pencil, tab, press(edit)));
        }
        if let Some(name) = offers.take_back {
            tools.push(tool(text(|| name.into()), Glyph::Bin, tab, press(take_back)));
        }
        view! { <div class="entry-tools">{tools}</div> }.into_any()
    })
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
