//! The list of rooms, and who sits here.

use super::{
    Avatar, Glyph, Icon, Mark, NameDialog,
    forms::{name_form, room_form},
    pieces::{flag, fresh, maybe, press, text, tool, unseen, when},
};
use crate::{app::use_menu, browser, store::RoomLine, view::use_view};
use holdfast_common::id::RoomId;
use leptos::{ev, prelude::*};

/// The list of rooms. On a small screen it comes from the side.
#[component]
pub fn Sidebar() -> impl IntoView {
    let (view, menu) = use_menu();
    let asking = RwSignal::new(false);
    follow(menu);
    let close: Box<dyn FnMut(ev::KeyboardEvent)> = Box::new(move |event| {
        if event.key() == "Escape" {
            menu.set(false);
        }
    });
    let joined = Memo::new(move |_| rooms(&view.lines.read(), true));
    let others = Memo::new(move |_| rooms(&view.lines.read(), false));
    let shut = move || menu.set(false);
    let open = flag(move || menu.get());
    view! {
        <div class="sidebar-shade" class:open=open on:click=press(shut)></div>
        <div class="sidebar" class:open=open on:keydown=close>
            <header class="sidebar-head">
                <span class="brand"><Mark />"Holdfast"</span>
                {tool("Close the list of rooms", Glyph::Cross, "sidebar-close", press(shut))}
            </header>
            <nav class="rooms" aria-label="Rooms">
                {room_list(joined, "Rooms")}
                <button class="room-new" type="button" on:click=press(move || asking.set(true))>
                    <Icon glyph=Glyph::Plus />
                    "New room"
                </button>
                {when(
                    move || !others.with(Vec::is_empty),
                    move || room_list(others, "Rooms you can join"),
                )}
            </nav>
            <a class="room-link queues-link" href="/queues/inbox">"Queues"</a>
            <Me />
        </div>
        <NameDialog open=asking title="New room" form=room_form />
    }
    .into_any()
}

/// The list has the keyboard while it covers the room, and the button that opened it afterwards.
fn follow(menu: RwSignal<bool>) {
    Effect::new(move |before: Option<bool>| {
        let open = menu.get();
        if open {
            request_animation_frame(|| browser::focus(".sidebar-close"));
        } else if before == Some(true) {
            browser::keep_focus(".menu-button", ".sidebar");
        }
        open
    });
    // On a screen that has become wide enough for both there is nothing to open it by.
    let widened = window_event_listener(ev::resize, move |_| {
        if browser::matches("(width >= 56rem)") && menu.get_untracked() {
            menu.set(false);
        }
    });
    on_cleanup(move || widened.remove());
}

fn rooms(lines: &[RoomLine], joined: bool) -> Vec<RoomId> {
    let lines = lines.iter().filter(|line| line.joined == joined);
    lines.map(|line| line.id).collect()
}

fn room_list(rooms: Memo<Vec<RoomId>>, title: &'static str) -> AnyView {
    let links = fresh(move || rooms.get().into_iter().map(room_link).collect_view().into_any());
    view! {
        <h2 class="rooms-title">{title}</h2>
        <ul>{links}</ul>
    }
    .into_any()
}

fn room_link(room: RoomId) -> AnyView {
    let (view, menu) = use_menu();
    let line = view.line(room);
    let read = move |read: fn(&RoomLine) -> bool| line.with(|line| line.as_ref().is_some_and(read));
    let here = move || (view.open.room.get() == Some(room)).then(|| "page".to_owned());
    let path = move || line.with(|line| Some(browser::path(line.as_ref()?)));
    let name =
        move || line.with(|line| line.as_ref().map_or_else(String::new, |line| line.name.clone()));
    let unread = Memo::new(move |_| view.to_tell(Some(room)));
    let trouble = || {
        view! {
            <span class="room-trouble" title="Something you wrote here was not accepted">
                <Icon glyph=Glyph::Alert />
                {unseen(", something was not accepted")}
            </span>
        }
        .into_any()
    };
    let count = move || {
        let count = text(move || badge(unread.get()));
        view! {
            <span class="room-badge">{count}</span>
            {unseen(" unread")}
        }
        .into_any()
    };
    view! {
        <li>
            <a
                class="room-link"
                class:room-unread=flag(move || unread.get() != 0)
                class:room-other=flag(move || read(|line| !line.joined))
                href=maybe(path)
                aria-current=maybe(here)
                on:click=press(move || menu.set(false))
            >
                {sign(flag(move || read(|line| line.inbox)))}
                <bdi class="room-label">{text(name)}</bdi>
                {when(move || read(|line| line.rejected > 0), trouble)}
                {when(move || unread.get() != 0, count)}
            </a>
        </li>
    }
    .into_any()
}

/// What stands before a room's name.
pub fn sign(inbox: Signal<bool>) -> AnyView {
    let sign = text(move || if inbox.get() { "@" } else { "#" }.into());
    view! { <span class="room-hash" aria-hidden="true">{sign}</span> }.into_any()
}

fn badge(count: u64) -> String {
    if count > 999 { "999+".into() } else { count.to_string() }
}

#[component]
fn Me() -> impl IntoView {
    let view = use_view();
    let asking = RwSignal::new(false);
    let me = fresh(move || match view.me.get() {
        Some(me) => view! {
            <Avatar author=&me />
            <bdi class="me-name">{me.name.clone()}</bdi>
        }
        .into_any(),
        None => ().into_any(),
    });
    view! {
        <section class="me" aria-label="You">
            {me}
            {tool("Change your name", Glyph::Pencil, "", press(move || asking.set(true)))}
        </section>
        <NameDialog open=asking title="Change your name" form=name_form />
    }
    .into_any()
}

/// Opens the list of rooms on a small screen; it says there what is unread elsewhere.
#[component]
pub fn MenuButton() -> impl IntoView {
    let (view, menu) = use_menu();
    let elsewhere = move || {
        let here = view.open.room.get().map_or(0, |room| view.to_tell(Some(room)));
        view.to_tell(None) > here
    };
    let dot = || {
        view! {
            <span class="menu-dot"></span>
            {unseen(", unread messages in other rooms")}
        }
        .into_any()
    };
    let open = press(move || menu.set(true));
    let opened = text(move || menu.get().to_string());
    view! {
        <button class="tool menu-button" type="button" aria-expanded=opened on:click=open>
            <Icon glyph=Glyph::Menu />
            {unseen("Show rooms")}
            {when(elsewhere, dot)}
        </button>
    }
    .into_any()
}
