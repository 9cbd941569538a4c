//! An event in the log.

mod body;
mod state;
mod tools;

use super::{Avatar, log::Roving};
use crate::{
    format,
    store::{Body, EntryRow, RowKey},
    view::{View, use_view},
};
use body::BodyView;
use leptos::prelude::*;
use state::{PendingNote, Refused, StateMark};
use tools::Tools;

/// An event, with how far it has come and what can be done with it.
#[component]
pub fn EntryView(
    /// What it says now.
    entry: RwSignal<EntryRow>,
) -> impl IntoView {
    let view = use_view();
    let Roving { chosen, tabbed } = expect_context();
    let key = entry.with_untracked(|entry| RowKey::Entry(entry.id));
    let id = entry.with_untracked(|entry| entry.id.to_string());
    let active = Signal::derive(move || tabbed.selected(&Some(key)));
    let here = move || {
        let offset = entry.with(|entry| entry.offset);
        offset.is_some() && view.open.found.get() == offset
    };
    let edited = move || {
        view.editing.with(|editing| editing.as_ref().is_some_and(|e| RowKey::Entry(e.id) == key))
    };
    view! {
        <article
            class="entry"
            class:entry-together=move || entry.with(|entry| entry.together)
            class:entry-here=here
            class:entry-edited=edited
            class:entry-own=entry.with_untracked(|entry| entry.own)
            data-event-id=id
            data-offset=move || entry.with(|entry| entry.offset.map(|offset| offset.to_string()))
            data-state=move || entry.with(|entry| entry.state.name())
            tabindex=move || if active.get() { "0" } else { "-1" }
            on:focusin=move |_| chosen.set(Some(key))
        >
            <Head entry />
            <div class="entry-body">
                <BodyView entry />
                <PendingNote entry />
                <Refused entry />
            </div>
            <StateMark entry />
            <Tools entry active />
        </article>
    }
}

/// Who and when. Where entries stand together, the name is there for the ear alone.
#[component]
fn Head(entry: RwSignal<EntryRow>) -> impl IntoView {
    let view = use_view();
    let author = entry.with_untracked(|entry| entry.author.clone());
    let edited = move || {
        let edited = entry.with(|entry| entry.edited && matches!(entry.body, Body::Text(_)));
        edited.then(|| view! { <span class="entry-mark">"edited"</span> })
    };
    let sign = author.clone();
    view! {
        <Avatar author=&sign />
        <header class="entry-head">
            <bdi class="entry-author">{author.name.clone()}</bdi>
            <Time view entry />
            {edited}
        </header>
    }
}

/// The time, which is the entry's address once it has a place.
#[component]
fn Time(view: View, entry: RwSignal<EntryRow>) -> impl IntoView {
    let at = Memo::new(move |_| entry.with(|entry| entry.at));
    let href = move || tools::address(view, entry.with(|entry| entry.offset)?);
    let full = move || format::full(at.get()).unwrap_or_default();
    view! {
        <a class="entry-time" href=href title=full tabindex="-1">
            <time datetime=move || format::iso(at.get())>{move || format::time(at.get())}</time>
        </a>
    }
}
