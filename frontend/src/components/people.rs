//! Who is in the room now.

use super::{Avatar, Glyph, Icon};
use crate::{format, store::Connection, view::use_view};
use holdfast_common::{chat::LOBBY, frame::Author};
use leptos::prelude::*;

/// How many people are named; of more, the number is told.
const NAMED: usize = 200;

/// Shows the people on a screen that has no place for them beside the log.
#[component]
pub fn PeopleButton(
    /// Whether they are shown.
    open: RwSignal<bool>,
) -> impl IntoView {
    let view = use_view();
    let count = move || view.open.here.with(Vec::len);
    let shown = move || match count() {
        0 => "–".to_owned(),
        count => count.to_string(),
    };
    view! {
        <button
            class="people-button"
            type="button"
            aria-expanded=move || open.get().to_string()
            on:click=move |_| open.update(|open| *open = !*open)
        >
            <Icon glyph=Glyph::People />
            {shown}
            <span class="sr-only">{move || if count() == 1 { " person here" } else { " people here" }}</span>
        </button>
    }
}

/// The people in the room.
#[component]
pub fn People(
    /// Whether they are shown where there is no place for them beside the log.
    open: RwSignal<bool>,
) -> impl IntoView {
    let view = use_view();
    let here = view.open.here;
    let title = move || match here.with(Vec::len) {
        0 => "Here now".to_owned(),
        count => format!("Here now – {count}"),
    };
    let unknown = move || here.with(Vec::is_empty);
    let named = move || here.with(|here| here.iter().take(NAMED).cloned().collect::<Vec<Author>>());
    let more = move || here.with(Vec::len).checked_sub(NAMED).filter(|more| *more > 0);
    view! {
        <aside class="people" class:open=open aria-label="People here">
            <h2 class="people-title">{title}</h2>
            <Show when=unknown>
                <p class="people-none">"Not known while you are not connected."</p>
            </Show>
            <ul>
                <For each=named key=|author| author.clone() let(author)>
                    <PersonLine author />
                </For>
            </ul>
            {move || more().map(|more| view! { <p class="people-more">{format!("and {}", format::count(more as u64, "other"))}</p> })}
            <Leave />
        </aside>
    }
}

/// Everyone is in the lobby; other rooms can be left.
#[component]
fn Leave() -> impl IntoView {
    let view = use_view();
    let line = move || {
        let room = view.open.room.get()?;
        let lines = view.lines.read();
        lines.iter().find(|line| line.id == room).cloned()
    };
    let other = move || line().is_some_and(|line| line.name != LOBBY && !line.new);
    let leave = move |_| {
        if let Some(room) = view.open.room.get_untracked() {
            view.leave(room);
        }
    };
    let offline = move || view.connection.get() != Connection::Online;
    view! {
        <Show when=other>
            <button class="pill people-leave" type="button" disabled=offline on:click=leave>
                "Leave room"
            </button>
        </Show>
    }
}

#[component]
fn PersonLine(author: Author) -> impl IntoView {
    let view = use_view();
    let own = view.me.with_untracked(|me| me.as_ref().is_some_and(|me| me.id == author.id));
    view! {
        <li class="person">
            <Avatar author=&author />
            <bdi class="person-name">{author.name.clone()}</bdi>
            {own.then(|| view! { <span class="person-you">"you"</span> })}
        </li>
    }
}
