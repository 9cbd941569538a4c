//! What can be done with an event.

use crate::{
    browser,
    components::{Glyph, Icon},
    store::{Body, EntryRow, State},
    view::{View, use_view},
};
use holdfast_common::cursor::Offset;
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

fn offers(entry: &EntryRow) -> Offers {
    let spoken = matches!(entry.body, Body::Text(_));
    let deleting = entry.pending.as_ref().is_some_and(|pending| pending.text.is_none());
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
#[component]
pub(super) fn Tools(entry: RwSignal<EntryRow>, active: Signal<bool>) -> impl IntoView {
    let view = use_view();
    let offers = Memo::new(move |_| entry.with(offers));
    let tab = move || if active.get() { "0" } else { "-1" };
    let edit = move |_| view.edit(&entry.get_untracked());
    let take_back = move |_| {
        if let Some(room) = view.open.room.get_untracked() {
            view.take_back(room, &entry.get_untracked());
        }
    };
    move || {
        let Offers { link, edit: may_edit, take_back: may_take } = offers.get();
        (link || may_edit || may_take.is_some()).then(|| {
            view! {
                <div class="entry-tools">
                    {link.then(|| view! { <CopyLink entry tab=Signal::derive(tab) /> })}
                    {may_edit.then(|| tool("Edit", Glyph::Pencil, tab, edit))}
                    {may_take.map(|name| tool(name, Glyph::Bin, tab, take_back))}
                </div>
            }
        })
    }
}

/// Copies the event's address, and says so for a moment.
#[component]
fn CopyLink(entry: RwSignal<EntryRow>, tab: Signal<&'static str>) -> impl IntoView {
    let view = use_view();
    let copied = RwSignal::new(false);
    let name = move || if copied.get() { "Link copied" } else { "Copy link" };
    let copy = move |_| {
        let offset = entry.with_untracked(|entry| entry.offset);
        if let Some(path) = offset.and_then(|offset| address(view, offset)) {
            browser::copy(&format!("{}{path}", browser::origin()));
            copied.set(true);
            let forget = move || {
                copied.try_set(false);
            };
            set_timeout(forget, TOLD);
        }
    };
    let glyph = move || {
        let glyph = if copied.get() { Glyph::Check } else { Glyph::Link };
        view! { <Icon glyph /> }
    };
    view! {
        <button class="tool" type="button" aria-label=name title=name tabindex=tab on:click=copy>
            {glyph}
        </button>
    }
}

fn tool(
    name: &'static str,
    glyph: Glyph,
    tab: impl Fn() -> &'static str + Send + Sync + 'static,
    deed: impl Fn(ev::MouseEvent) + 'static,
) -> impl IntoView {
    view! {
        <button class="tool" type="button" aria-label=name title=name tabindex=tab on:click=deed>
            <Icon glyph />
        </button>
    }
}

/// The address of a place in the open room.
pub(super) fn address(view: View, offset: Offset) -> Option<String> {
    let room = view.open.room.get_untracked()?;
    let name = view.lines.with_untracked(|lines| {
        let line = lines.iter().find(|line| line.id == room);
        line.map(|line| line.name.clone())
    })?;
    Some(format!("{}?at={offset}", browser::room_path(&name, room)))
}
