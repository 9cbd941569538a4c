//! In place of the message box: the inbox, or a room that is not joined, not there, or not known yet.

use super::pieces::{either, flag, press, text};
use crate::{
    address::{Place, use_address},
    browser,
    store::{Connection, RoomLine},
    view::{View, use_view},
};
use holdfast_common::chat::LOBBY;
use leptos::prelude::*;

/// What there is instead of a room that one can write in.
#[component]
pub fn Blank(
    /// The room, if there is one.
    found: Option<RoomLine>,
    /// The name that was asked for.
    name: Signal<String>,
) -> impl IntoView {
    let view = use_view();
    match found {
        None => missing(view, name),
        Some(line) => {
            let class = if line.held { "blank blank-bar" } else { "blank" };
            let inside = match (line.gone, line.inbox) {
                (true, _) => gone(),
                (false, true) => inbox(),
                (false, false) => outside(view, line),
            };
            view! { <div class=class>{inside}</div> }.into_any()
        }
    }
}

fn inbox() -> AnyView {
    view! {
        <p>
            "Only the server writes here, and only you read it. "
            <a class="link" href="/queues">"See the queues"</a>
        </p>
    }
    .into_any()
}

fn gone() -> AnyView {
    view! { <p class="blank-title">"This room is no more."</p> }.into_any()
}

/// A room that can be joined.
fn outside(view: View, line: RoomLine) -> AnyView {
    let offline = flag(move || view.connection.get() != Connection::Online);
    let join = press(move || view.join(line.id));
    let words = text(move || match (line.held, offline.get()) {
        (true, false) => "New messages do not arrive.".into(),
        (true, true) => {
            "New messages do not arrive. You can join it again once you are online.".into()
        }
        (false, false) => "Join it to read what is said there and to write.".into(),
        (false, true) => "A room can be joined only while you are online.".into(),
    });
    let title = if line.held { "You left #" } else { "You are not in #" };
    // Who has just left it pressed a button that is gone.
    browser::keep_focus(".blank-join", ".people");
    view! {
        <p class="blank-title">{title} <bdi>{line.name}</bdi> "."</p>
        <p>{words}</p>
        <button class="btn btn-primary blank-join" type="button" disabled=offline on:click=join>
            "Join room"
        </button>
    }
    .into_any()
}

fn missing(view: View, name: Signal<String>) -> AnyView {
    // Before the first welcome nothing is known of any room.
    let known = move || {
        view.connection.get() == Connection::Online && view.lines.with(|lines| !lines.is_empty())
    };
    let place = use_address().place;
    let inbox = move || place.with(|place| matches!(place, Place::Inbox(_)));
    let unsent =
        || view! { <p class="blank-title">"Nothing has been sent to you yet."</p> }.into_any();
    let none = move || either(inbox, unsent, move || no_room(name));
    let words = text(move || match view.connection.get() {
        Connection::Online | Connection::Connecting => "Looking for the room…".into(),
        _ => "What is in this room is not known here yet.".into(),
    });
    let looking = move || view! { <p class="blank-title">{words}</p> }.into_any();
    view! { <div class="blank">{either(known, none, looking)}</div> }.into_any()
}

fn no_room(name: Signal<String>) -> AnyView {
    view! {
        <p class="blank-title">"There is no room #" <bdi>{name}</bdi> "."</p>
        <p>"It may have another name now, or it was never made."</p>
        {to_lobby()}
    }
    .into_any()
}

/// The way on from where nothing is.
pub fn to_lobby() -> AnyView {
    view! {
        <a class="btn btn-primary btn-sm" href=format!("/rooms/{LOBBY}")>
            "Go to the lobby"
        </a>
    }
    .into_any()
}
