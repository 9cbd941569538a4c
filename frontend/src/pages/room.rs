//! A room, at its newest events or at a place in it.

use crate::{
    address::{Place, use_address},
    browser,
    components::{
        Blank, Composer, Log, MenuButton, People, PeopleButton, Region, Status, StorageNotice,
        either, flag, sign, text, when,
    },
    store::{INBOX, RoomLine},
    view::{View, use_view},
};
use holdfast_common::{cursor::Offset, id::RoomId};
use leptos::prelude::*;

/// The room that an address names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Found {
    name: String,
    inbox: bool,
    room: Option<RoomId>,
}

/// A room's page.
#[component]
pub fn RoomPage() -> impl IntoView {
    let view = use_view();
    let found = find(view);
    let line = Memo::new(move |_| line(view, found));
    keep_open(view, found, line);
    let people = RwSignal::new(false);
    // An address has some rooms by their ids.
    let named = move || line.with(|line| line.as_ref().map(|line| line.name.clone()));
    let name = text(move || named().unwrap_or_else(|| found.get().name));
    let read = move |read: fn(&RoomLine) -> bool| line.with(|line| line.as_ref().is_some_and(read));
    // In an inbox there is nobody else, and nothing to be written.
    let joined = move || read(|line| line.joined && !line.gone && !line.inbox);
    Effect::new(move |_| view.open.writable.set(joined()));
    let shown = move || joined() || read(|line| line.held);
    view! {
        <main class="room">
            <header class="room-head">
                <MenuButton />
                <h1 class="room-name">
                    {sign(flag(move || found.get().inbox))}
                    <bdi>{name}</bdi>
                </h1>
                {when(joined, move || view! { <PeopleButton open=people /> }.into_any())}
                <Status />
            </header>
            <StorageNotice />
            <div class="room-body">
                <div class="room-talk">
                    {when(shown, move || talk(name))}
                    {either(
                        joined,
                        move || write(name),
                        move || view! { <Blank found=line.get() name /> }.into_any(),
                    )}
                </div>
                {when(joined, move || people_region(people))}
            </div>
        </main>
    }
    .into_any()
}

fn talk(name: Signal<String>) -> AnyView {
    view! { <Region what="The messages"><Log name /></Region> }.into_any()
}

fn write(name: Signal<String>) -> AnyView {
    view! { <Region what="The message box"><Composer name /></Region> }.into_any()
}

fn people_region(open: RwSignal<bool>) -> AnyView {
    view! { <Region what="The list of people"><People open /></Region> }.into_any()
}

/// The room of the address's name. Once found it stays, whatever it is called later.
fn find(view: View) -> Memo<Found> {
    let place = use_address().place;
    Memo::new(move |before: Option<&Found>| {
        let (name, inbox) = match place.get() {
            Place::Room(name, _) => (name, false),
            Place::Inbox(_) => (INBOX.into(), true),
            Place::Nowhere => return before.cloned().unwrap_or_default(),
        };
        let lines = view.lines.read();
        // One that is no more leaves its name to another.
        let there = |room| lines.iter().any(|line| line.id == room && !line.gone);
        match before {
            Some(found)
                if (&found.name, found.inbox) == (&name, inbox)
                    && found.room.is_some_and(there) =>
            {
                found.clone()
            }
            _ if inbox => Found { room: view.inbox(), name, inbox },
            _ => Found { room: view.named(&name), name, inbox },
        }
    })
}

fn line(view: View, found: Memo<Found>) -> Option<RoomLine> {
    let room = found.get().room?;
    let lines = view.lines.read();
    lines.iter().find(|line| line.id == room).cloned()
}

/// Opens the room at the place of the address. A room that was made under a name that was taken
/// gets another, and the address follows.
fn keep_open(view: View, found: Memo<Found>, line: Memo<Option<RoomLine>>) {
    let address = use_address();
    Effect::new(move |_| {
        let at: Option<Offset> = match address.place.get() {
            Place::Room(_, at) | Place::Inbox(at) => at,
            Place::Nowhere => None,
        };
        view.open(found.get().room, at);
    });
    Effect::new(move |_| {
        let name = found.get().name;
        let line = line.get();
        if let Some(line) = line.filter(|line| line.name != name && line.id.to_string() != name) {
            address.replace(&browser::path(&line));
        }
    });
    on_cleanup(move || view.open(None, None));
}
