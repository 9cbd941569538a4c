//! Troubles, until they are dismissed.

use super::{
    Glyph, Icon,
    pieces::{fresh, press, tool},
};
use crate::{
    link::NotHeld,
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
        Trouble::NotHeld { room, why, text_back, .. } => {
            not_held(&name(view, *room), *why, *text_back)
        }
        Trouble::Refused { room, detail, .. } => format!("{}: {detail}", name(view, *room)),
        Trouble::Lost(room) => lost(&name(view, *room), view.is_gone(*room)),
        Trouble::NoPlace(room, offset) => {
            format!(
                "The address leads to place {offset} of {}, and there is no such place.",
                name(view, *room)
            )
        }
        Trouble::Renamed { wished, name } => {
            format!("{wished} was taken; your room is {name}.")
        }
    }
}

fn lost(room: &str, whole: bool) -> String {
    if whole {
        format!(
            "The server has lost {room} as you knew it, with all that was said there. It was probably set up anew, or restored from a backup."
        )
    } else {
        format!(
            "The server has lost messages of {room} that it had confirmed. It was probably restored from a backup."
        )
    }
}

/// Not every event has a text to give back: a deletion has none.
fn not_held(room: &str, why: NotHeld, text_back: bool) -> String {
    let why = match why {
        NotHeld::TooMany => "too much is waiting to be sent already",
        NotHeld::NotWritten(NotWritten::Full) => "this browser has no room left",
        NotHeld::NotWritten(NotWritten::Fenced | NotWritten::Failed) => {
            "this browser’s database failed"
        }
    };
    if text_back {
        format!("What you wrote in {room} is not sent: {why}. The text is back in the message box.")
    } else {
        format!("What you did in {room} is not sent: {why}.")
    }
}

fn name(view: View, room: RoomId) -> String {
    view.name_of(room).map_or_else(|| "a room".into(), |name| format!("#{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_held_is_told_with_its_own_reason_and_no_text_is_promised_where_none_came_back() {
        assert_eq!(
            not_held("#lobby", NotHeld::TooMany, false),
            "What you did in #lobby is not sent: too much is waiting to be sent already."
        );
        assert_eq!(
            not_held("#lobby", NotHeld::NotWritten(NotWritten::Full), true),
            "What you wrote in #lobby is not sent: this browser has no room left. \
             The text is back in the message box."
        );
    }
}
