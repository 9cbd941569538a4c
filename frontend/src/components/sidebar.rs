//! The list of rooms, and who sits here.

use super::{Avatar, Glyph, Icon, Mark, NameDialog, RoomDialog};
use crate::{app::use_menu, browser, store::RoomLine, view::use_view};
use holdfast_common::id::RoomId;
use leptos::{ev, prelude::*};

/// The list of rooms. On a small screen it comes from the side.
#[component]
pub fn Sidebar() -> impl IntoView {
    let (view, menu) = use_menu();
    let asking = RwSignal::new(false);
    let close = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" {
            menu.set(false);
        }
    };
    let joined = Memo::new(move |_| rooms(&view.lines.read(), true));
    let others = Memo::new(move |_| rooms(&view.lines.read(), false));
    view! {
        <div class="sidebar-shade" class:open=menu on:click=move |_| menu.set(false)></div>
        <div class="sidebar" class:open=menu on:keydown=close>
            <div class="sidebar-head">
                <span class="brand"><Mark />"Holdfast"</span>
                <button
                    class="tool sidebar-close"
                    type="button"
                    aria-label="Close the list of rooms"
                    on:click=move |_| menu.set(false)
                >
                    <Icon glyph=Glyph::Cross />
                </button>
            </div>
            <nav class="rooms" aria-label="Rooms">
                <RoomList rooms=joined title="Rooms" />
                <button class="room-new" type="button" on:click=move |_| asking.set(true)>
                    <Icon glyph=Glyph::Plus />
                    "New room"
                </button>
                <Show when=move || !others.with(Vec::is_empty)>
                    <RoomList rooms=others title="Rooms you can join" />
                </Show>
            </nav>
            <Me />
        </div>
        <RoomDialog open=asking />
    }
}

fn rooms(lines: &[RoomLine], joined: bool) -> Vec<RoomId> {
    let lines = lines.iter().filter(|line| line.joined == joined);
    lines.map(|line| line.id).collect()
}

#[component]
fn RoomList(rooms: Memo<Vec<RoomId>>, title: &'static str) -> impl IntoView {
    view! {
        <h2 class="rooms-title">{title}</h2>
        <ul>
            <For each=move || rooms.get() key=|room| *room let(room)>
                <li><RoomLink room /></li>
            </For>
        </ul>
    }
}

#[component]
fn RoomLink(room: RoomId) -> impl IntoView {
    let (view, menu) = use_menu();
    let line = view.line(room);
    let here = move || view.open.room.get() == Some(room);
    let path = move || line.with(|line| Some(browser::room_path(&line.as_ref()?.name, room)));
    let name = move || line.with(|line| line.as_ref().map(|line| line.name.clone()));
    let unread = Memo::new(move |_| view.to_tell(Some(room)));
    let other = move || line.with(|line| line.as_ref().is_some_and(|line| !line.joined));
    let trouble = move || line.with(|line| line.as_ref().is_some_and(|line| line.rejected > 0));
    view! {
        <a
            class="room-link"
            class:room-unread=move || unread.get() != 0
            class:room-other=other
            href=path
            aria-current=move || here().then_some("page")
            on:click=move |_| menu.set(false)
        >
            <span class="room-hash" aria-hidden="true">"#"</span>
            <bdi class="room-label">{name}</bdi>
            <Show when=trouble>
                <span class="room-trouble" title="Something you wrote here was not accepted">
                    <Icon glyph=Glyph::Alert />
                    <span class="sr-only">", something was not accepted"</span>
                </span>
            </Show>
            <Show when=move || unread.get() != 0>
                <span class="room-badge">{move || badge(unread.get())}</span>
                <span class="sr-only">" unread"</span>
            </Show>
        </a>
    }
}

fn badge(count: u64) -> String {
    if count > 999 { "999+".into() } else { count.to_string() }
}

#[component]
fn Me() -> impl IntoView {
    let view = use_view();
    let asking = RwSignal::new(false);
    let me = move || {
        view.me.get().map(|me| {
            view! {
                <Avatar author=&me />
                <bdi class="me-name">{me.name.clone()}</bdi>
            }
        })
    };
    view! {
        <div class="me">
            {me}
            <button
                class="tool"
                type="button"
                aria-label="Change your name"
                title="Change your name"
                on:click=move |_| asking.set(true)
            >
                <Icon glyph=Glyph::Pencil />
            </button>
        </div>
        <NameDialog open=asking />
    }
}

/// Opens the list of rooms on a small screen; it says there what is unread elsewhere.
#[component]
pub fn MenuButton() -> impl IntoView {
    let (view, menu) = use_menu();
    let elsewhere = Memo::new(move |_| {
        let here = view.open.room.get().map_or(0, |room| view.to_tell(Some(room)));
        view.to_tell(None) > here
    });
    let dot = move || {
        elsewhere.get().then(|| {
            view! {
                <span class="menu-dot"></span>
                <span class="sr-only">", unread messages in other rooms"</span>
            }
        })
    };
    view! {
        <button
            class="tool menu-button"
            type="button"
            aria-expanded=move || menu.get().to_string()
            on:click=move |_| {
                menu.set(true);
                request_animation_frame(|| browser::focus(".sidebar-close"));
            }
        >
            <Icon glyph=Glyph::Menu />
            <span class="sr-only">"Show rooms"</span>
            {dot}
        </button>
    }
}
