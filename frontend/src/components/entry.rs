//! An event in the log.

mod body;
mod state;
mod tools;

use super::{
    Avatar,
    log::Roving,
    pieces::{flag, fresh, maybe, text},
};
use crate::{
    format,
    store::{EntryRow, RowKey},
    view::{View, use_view},
};
use body::body;
use leptos::{ev, prelude::*};
use state::{pending_note, refused, state_mark};
use tools::tools;

/// An event, with how far it has come and what can be done with it.
#[component]
pub fn EntryView(
    /// What it says now.
    entry: RwSignal<EntryRow>,
) -> impl IntoView {
    let view = use_view();
    let Roving { chosen, tabbed } = expect_context();
    let id = entry.with_untracked(|entry| entry.id);
    let key = RowKey::Entry(id);
    let active = flag(move || tabbed.selected(&Some(key)));
    let here = move || {
        let offset = entry.with(|entry| entry.offset);
        offset.is_some() && view.open.found.get() == offset
    };
    let edited = move || view.editing.with(|editing| editing.as_ref().is_some_and(|e| e.id == id));
    let chose: Box<dyn FnMut(ev::FocusEvent)> = Box::new(move |_| chosen.set(Some(key)));
    let label = text(move || {
        entry.with(|entry| {
            let time = format::time(entry.at).unwrap_or_default();
            format!("{}, {time}", entry.author.name)
        })
    });
    view! {
        <article
            class="entry"
            class:entry-together=flag(move || entry.with(|entry| entry.together) && !here())
            class:entry-here=flag(here)
            class:entry-edited=flag(edited)
            data-event-id=id.to_string()
            data-offset=maybe(move || Some(entry.with(|entry| entry.offset)?.to_string()))
            data-state=text(move || entry.with(|entry| entry.state.name().into()))
            aria-label=label
            tabindex=text(move || if active.get() { "0" } else { "-1" }.into())
            on:focusin=chose
        >
            {head(view, entry)}
            <div class="entry-body">
                {body(entry)}
                {pending_note(view, entry)}
                {refused(view, entry)}
            </div>
            {state_mark(entry)}
            {tools(view, entry, active)}
        </article>
    }
    .into_any()
}

/// Who and when. Where entries stand together, the name is there for the ear alone.
fn head(view: View, entry: RwSignal<EntryRow>) -> AnyView {
    let author = entry.with_untracked(|entry| entry.author.clone());
    let at = Memo::new(move |_| entry.with(|entry| entry.at));
    let href = maybe(move || tools::address(view, entry.with(|entry| entry.offset)?));
    let full = text(move || format::full(at.get()).unwrap_or_default());
    let time = fresh(move || format::time(at.get()).into_any());
    // The time is the entry's address once it has a place.
    view! {
        <Avatar author=&author />
        <header class="entry-head">
            <bdi class="entry-author">{author.name.clone()}</bdi>
            <a class="entry-time" href=href title=full tabindex="-1">
                <time datetime=text(move || format::iso(at.get()))>{time}</time>
            </a>
        </header>
    }
    .into_any()
}
