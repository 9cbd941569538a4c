//! In place of the message box: a room that is not joined, not there, or not known yet.

use crate::{
    store::{Connection, RoomLine},
    view::use_view,
};
use leptos::prelude::*;

/// What there is instead of a room that one can write in.
#[component]
pub fn Blank(
    /// The room, if there is one.
    found: Option<RoomLine>,
    /// The name that was asked for.
    name: Signal<String>,
) -> impl IntoView {
    match found {
        None => view! { <Missing name /> }.into_any(),
        Some(line) if line.gone => view! {
            <div class="blank" class:blank-bar=line.held>
                <p class="blank-title">"This room was deleted."</p>
            </div>
        }
        .into_any(),
        Some(line) => view! { <Outside line /> }.into_any(),
    }
}

/// A room that can be joined.
#[component]
fn Outside(line: RoomLine) -> impl IntoView {
    let view = use_view();
    let offline = move || view.connection.get() != Connection::Online;
    view! {
        <div class="blank" class:blank-bar=line.held>
            <p class="blank-title">"You are not in " <bdi>{line.name}</bdi> "."</p>
            <p>
                {move || {
                    if offline() {
                        "A room can be joined only while you are online."
                    } else {
                        "Join it to read what is said there and to write."
                    }
                }}
            </p>
            <button
                class="btn btn-primary"
                type="button"
                disabled=offline
                on:click=move |_| view.join(line.id)
            >
                "Join room"
            </button>
        </div>
    }
}

#[component]
fn Missing(name: Signal<String>) -> impl IntoView {
    let view = use_view();
    // Before the first welcome nothing is known of any room.
    let known = move || {
        view.connection.get() == Connection::Online && view.lines.with(|lines| !lines.is_empty())
    };
    view! {
        <div class="blank">
            <Show
                when=known
                fallback=|| view! { <p class="blank-title">"Looking for the room…"</p> }
            >
                <p class="blank-title">"There is no room " <bdi>{name}</bdi> "."</p>
                <p>"It may have another name now, or it was never made."</p>
            </Show>
        </div>
    }
}
