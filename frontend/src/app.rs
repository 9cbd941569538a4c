//! The page as a whole: it waits for the database, asks for a name, then shows rooms.

#![allow(unreachable_pub, reason = "`#[component]` makes public items of private ones")]

use crate::{
    address::{Address, Place, use_address},
    browser,
    components::{Notices, Press, Region, Sidebar, either, flag},
    link::Options,
    pages::{Nowhere, RoomPage, Welcome},
    store::INBOX,
    view::{View, use_view},
};
use holdfast_common::{
    chat::{Chat, Event},
    event::{Durable, Effect as Change, Namespace},
};
use leptos::prelude::*;

/// The page.
#[component]
pub fn App() -> impl IntoView {
    let view = View::start(Options { url: None, effect: Some(change) });
    provide_context(view);
    let address = Address::start();
    provide_context(address);
    provide_context(Menu(RwSignal::new(false)));
    Effect::new(move |_| document().set_title(&title(view, address)));
    let known = move || view.me.with(Option::is_some);
    let page = move || either(known, shell, || view! { <Welcome /> }.into_any());
    // The database is rarely read for long enough to be seen.
    let starting = || view! { <p class="boot">"Loading…"</p> }.into_any();
    either(move || view.loaded.get(), page, starting)
}

fn shell() -> AnyView {
    let place = use_address().place;
    let (_, menu) = use_menu();
    let covered = flag(move || menu.get());
    let nowhere = move || place.with(|place| *place == Place::Nowhere);
    let skip: Press = Box::new(|event| {
        event.prevent_default();
        browser::focus_any(&["#message", "#main"]);
    });
    view! {
        <a class="skip" href="#main" inert=covered on:click=skip>"Skip to the message box"</a>
        <div class="shell">
            <Region what="The list of rooms">
                <Sidebar />
            </Region>
            <div id="main" class="shell-main" tabindex="-1" inert=covered>
                <Notices />
                {either(
                    nowhere,
                    || view! { <Nowhere /> }.into_any(),
                    || view! { <RoomPage /> }.into_any(),
                )}
            </div>
        </div>
    }
    .into_any()
}

/// Whether the list of rooms is open on a small screen.
#[derive(Debug, Clone, Copy)]
pub struct Menu(pub RwSignal<bool>);

/// The open room with what is unread in all of them: a tab is found by it.
fn title(view: View, address: Address) -> String {
    let unread = view.to_tell(None);
    let lines = view.lines.read();
    let open = view.open.room.get();
    let line = lines.iter().find(|line| Some(line.id) == open);
    let asked = || match address.place.get() {
        Place::Room(name, _) => name,
        Place::Inbox(_) => INBOX.into(),
        Place::Nowhere => "Not found".into(),
    };
    let name = line.map_or_else(asked, |line| line.name.clone());
    let count = (unread > 0).then(|| format!("({unread}) "));
    format!("{}{name} · Holdfast", count.unwrap_or_default())
}

/// What an event of the chat does to its room's log.
pub(crate) fn change(kind: &str, data: &str) -> Option<Change> {
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
