//! Troubles, until they are dismissed.

use super::{
    Glyph, Icon,
    pieces::{fresh, press, tool},
};
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
    let notices = fresh(move || {
        let notices = view.notices.get().into_iter();
        notices.map(|notice| shown(view, &notice)).collect_view().into_any()
    });
    view! { <div class="notices">{notices}</div> }.into_any()
}

fn shown(view: View, notice: &Notice) -> AnyView {
    let number = notice.number;
    let dismiss = press(move || view.dismiss(number));
    view! {
        <div class="notice" role="alert">
            <Icon glyph=Glyph::Alert />
            <p class="notice-text">{words(view, &notice.trouble)}</p>
            {tool("Dismiss", Glyph::Cross, "", dismiss)}
        </div>
    }
    .into_any()
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
