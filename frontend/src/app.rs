//! The page as a whole: it waits for the database, asks for a name, then shows rooms.

#![allow(unreachable_pub, reason = "`#[component]` makes public items of private ones")]

use crate::{
    components::{Notices, Region, Sidebar},
    link::Options,
    pages::{Lobby, Nowhere, RoomPage, Welcome},
    view::{View, use_view},
};
use holdfast_common::{
    chat::{Chat, Event},
    event::{Durable, Effect as Change, Namespace},
};
use leptos::prelude::*;
use leptos_router::{
    components::{FlatRoutes, Route, Router},
    path,
};

/// The page.
#[component]
pub fn App() -> impl IntoView {
    let view = View::start(Options { url: None, effect: Some(change) });
    provide_context(view);
    Effect::new(move |_| document().set_title(&title(view)));
    let known = move || view.me.with(Option::is_some);
    view! {
        <Show when=move || view.loaded.get() fallback=Starting>
            <Show when=known fallback=Welcome>
                <Router>
                    <Shell />
                </Router>
            </Show>
        </Show>
    }
}

/// Shown while the database is read, which is rarely long enough to be seen.
#[component]
fn Starting() -> impl IntoView {
    view! { <p class="boot">"Loading…"</p> }
}

#[component]
fn Shell() -> impl IntoView {
    let menu = RwSignal::new(false);
    provide_context(Menu(menu));
    let skip = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        crate::browser::focus("#message");
    };
    view! {
        <a class="skip" href="#message" on:click=skip>"Skip to the message box"</a>
        <div class="shell">
            <Region what="The list of rooms">
                <Sidebar />
            </Region>
            <div class="shell-main">
                <Notices />
                <FlatRoutes fallback=Nowhere>
                    <Route path=path!("/") view=Lobby />
                    <Route path=path!("/rooms/:name") view=RoomPage />
                </FlatRoutes>
            </div>
        </div>
    }
}

/// Whether the list of rooms is open on a small screen.
#[derive(Debug, Clone, Copy)]
pub struct Menu(pub RwSignal<bool>);

/// The open room with what is unread in all of them: a tab is found by it.
fn title(view: View) -> String {
    let unread = view.to_tell(None);
    let lines = view.lines.read();
    let open = view.open.room.get();
    let line = lines.iter().find(|line| Some(line.id) == open);
    let name = line.map(|line| format!("{} · ", line.name));
    let count = (unread > 0).then(|| format!("({unread}) "));
    format!("{}{}Holdfast", count.unwrap_or_default(), name.unwrap_or_default())
}

/// What an event of the chat does to its room's log.
fn change(kind: &str, data: &str) -> Option<Change> {
    Some(match Chat::read(kind, data)?.ok()? {
        Event::Message(event) => event.effect(),
        Event::Edit(event) => event.effect(),
        Event::Delete(event) => event.effect(),
        Event::RoomCreated(event) => event.effect(),
    })
}

/// The view and the menu, for components.
pub(crate) fn use_menu() -> (View, RwSignal<bool>) {
    (use_view(), expect_context::<Menu>().0)
}
