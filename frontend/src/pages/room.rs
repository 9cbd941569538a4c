//! A room, at its newest events or at a place in it.

use crate::{
    browser,
    components::{
        Blank, Composer, Log, MenuButton, People, PeopleButton, Region, Status, StorageNotice,
    },
    store::RoomLine,
    view::{View, use_view},
};
use holdfast_common::id::RoomId;
use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_params_map, use_query_map},
};

/// The room that an address names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    name: String,
    room: Option<RoomId>,
}

/// A room's page.
#[component]
pub fn RoomPage() -> impl IntoView {
    let view = use_view();
    let found = find(view);
    let query = use_query_map();
    let at = Memo::new(move |_| query.read().get("at").and_then(|at| at.parse().ok()));
    Effect::new(move |_| view.open(found.get().room, at.get()));
    follow_name(view, found);
    on_cleanup(move || view.open(None, None));
    let people = RwSignal::new(false);
    let name = Signal::derive(move || found.get().name);
    let line = Memo::new(move |_| line(view, found));
    let joined =
        move || line.with(|line| line.as_ref().is_some_and(|line| line.joined && !line.gone));
    let shown = move || joined() || line.with(|line| line.as_ref().is_some_and(|line| line.held));
    view! {
        <main class="room">
            <header class="room-head">
                <MenuButton />
                <h1 class="room-name">
                    <span class="room-hash" aria-hidden="true">"#"</span>
                    <bdi>{name}</bdi>
                </h1>
                <Show when=joined>
                    <PeopleButton open=people />
                </Show>
                <Status />
            </header>
            <StorageNotice />
            <div class="room-body">
                <div class="room-talk">
                    <Show when=shown>
                        <Region what="The messages">
                            <Log name />
                        </Region>
                    </Show>
                    <Show when=joined fallback=move || view! { <Blank found=line.get() name /> }>
                        <Region what="The message box">
                            <Composer name />
                        </Region>
                    </Show>
                </div>
                <Show when=joined>
                    <Region what="The list of people">
                        <People open=people />
                    </Region>
                </Show>
            </div>
        </main>
    }
}

fn line(view: View, found: Memo<Found>) -> Option<RoomLine> {
    let room = found.get().room?;
    let lines = view.lines.read();
    lines.iter().find(|line| line.id == room).cloned()
}

/// The room of the address's name. Once found it stays, whatever it is called later.
fn find(view: View) -> Memo<Found> {
    let params = use_params_map();
    Memo::new(move |before: Option<&Found>| {
        let name = params.read().get("name").unwrap_or_default();
        let lines = view.lines.read();
        let there = |room| lines.iter().any(|line| line.id == room);
        match before {
            Some(found) if found.name == name && found.room.is_some_and(there) => found.clone(),
            _ => Found { room: view.named(&name), name },
        }
    })
}

/// A room that was made under a name that was taken gets another: the address follows.
fn follow_name(view: View, found: Memo<Found>) {
    let navigate = use_navigate();
    Effect::new(move |_| {
        let name = found.get().name;
        let line = line(view, found);
        if let Some(line) = line.filter(|line| line.name != name && line.id.to_string() != name) {
            let options = NavigateOptions { replace: true, ..NavigateOptions::default() };
            navigate(&browser::room_path(&line.name, line.id), options);
        }
    });
}
