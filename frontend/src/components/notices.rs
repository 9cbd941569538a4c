//! Troubles, until they are dismissed.

use super::{Glyph, Icon};
use crate::{
    store::{Notice, Trouble},
    view::{View, use_view},
};
use holdfast_common::{client::NotWritten, id::RoomId};
use leptos::prelude::*;

/// The troubles that stand.
#[component]
pub fn Notices() -> impl IntoView {
    let view = use_view();
    view! {
        <div class="notices">
            <For each=move || view.notices.get() key=|notice| notice.number let(notice)>
                <NoticeView notice />
            </For>
        </div>
    }
}

#[component]
fn NoticeView(notice: Notice) -> impl IntoView {
    let view = use_view();
    let number = notice.number;
    view! {
        <div class="notice" role="alert">
            <Icon glyph=Glyph::Alert />
            <p class="notice-text">{words(view, &notice.trouble)}</p>
            <button
                class="tool"
                type="button"
                aria-label="Dismiss"
                on:click=move |_| view.dismiss(number)
            >
                <Icon glyph=Glyph::Cross />
            </button>
        </div>
    }
}

fn words(view: View, trouble: &Trouble) -> String {
    match trouble {
        Trouble::NotHeld { room, why, .. } => {
            let why = match why {
                NotWritten::Full => "this browser has no room left",
                NotWritten::Fenced | NotWritten::Failed => "this browser’s database failed",
            };
            let room = name(view, *room);
            format!(
                "What you wrote in {room} is not sent: {why}. The text is back in the message box."
            )
        }
        Trouble::Refused { room, detail, .. } => format!("{}: {detail}", name(view, *room)),
        Trouble::Lost(room) => format!(
            "The server has lost messages of {} that it had confirmed. It was probably restored from a backup.",
            name(view, *room)
        ),
    }
}

fn name(view: View, room: RoomId) -> String {
    let lines = view.lines.get_untracked();
    let line = lines.into_iter().find(|line| line.id == room);
    line.map_or_else(|| "a room".into(), |line| format!("#{}", line.name))
}
