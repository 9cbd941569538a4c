//! Who is in the room now.

use super::{
    Avatar, Glyph, Icon,
    pieces::{flag, fresh, pill_while, press, text, when},
};
use crate::{
    browser, format,
    store::Connection,
    view::{View, use_view},
};
use holdfast_common::{chat::LOBBY, frame::Author, id::PersonId};
use leptos::{ev, prelude::*};

/// How many people are named; of more, the number is told.
const NAMED: usize = 200;

/// Shows the people on a screen that has no place for them beside the log.
#[component]
pub fn PeopleButton(
    /// Whether they are shown.
    open: RwSignal<bool>,
) -> impl IntoView {
    let view = use_view();
    let count = move || view.open.here.with(Vec::len);
    let shown = text(move || match count() {
        0 => "–".to_owned(),
        count => count.to_string(),
    });
    let words = text(move || if count() == 1 { " person here" } else { " people here" }.into());
    let opened = text(move || open.get().to_string());
    view! {
        <button
            class="people-button"
            type="button"
            popovertarget="people"
            aria-controls="people"
            aria-expanded=opened
        >
            <Icon glyph=Glyph::People />
            {shown}
            <span class="sr-only">{words}</span>
        </button>
    }
    .into_any()
}

/// The people in the room. Where there is no place for them beside the log they are a popover: the
/// browser closes it by Escape or by a press elsewhere, and gives the focus back.
#[component]
pub fn People(
    /// Told whether they are shown where there is no place for them beside the log.
    open: RwSignal<bool>,
) -> impl IntoView {
    let view = use_view();
    let toggled: Box<dyn FnMut(ev::Event)> = Box::new(move |_| {
        open.set(browser::focus_any(&["#people:popover-open"]));
    });
    let here = view.open.here;
    let title = text(move || match here.with(Vec::len) {
        0 => "Here now".to_owned(),
        count => format!("Here now – {count}"),
    });
    let people = fresh(move || {
        let me = view.me.with_untracked(|me| me.as_ref().map(|me| me.id));
        let named = here.with(|here| here.iter().take(NAMED).cloned().collect::<Vec<_>>());
        let lines = named.into_iter().map(|author| person(&author, me));
        lines.collect_view().into_any()
    });
    let note = Memo::new(move |_| {
        let online = view.connection.get() == Connection::Online;
        note(here.with(Vec::len), view.open.crowded.get(), online)
    });
    let noted = move || view! { <p class="people-note">{text(move || note.get())}</p> }.into_any();
    view! {
        <aside
            id="people"
            class="people"
            popover="auto"
            tabindex="-1"
            aria-label="People here"
            on:toggle=toggled
        >
            <h2 class="people-title">{title}</h2>
            <ul>{people}</ul>
            {when(move || note.with(|note| !note.is_empty()), noted)}
            {leave(view)}
        </aside>
    }
    .into_any()
}

/// What the list does not say.
fn note(count: usize, crowded: bool, online: bool) -> String {
    match count {
        0 if crowded => "Too many people to list.".into(),
        0 if !online => "Not known while you are not connected.".into(),
        count if count > NAMED => format!("and {}", format::count((count - NAMED) as u64, "other")),
        _ => String::new(),
    }
}

fn person(author: &Author, me: Option<PersonId>) -> AnyView {
    let you = if me == Some(author.id) { "you" } else { "" };
    view! {
        <li class="person">
            <Avatar author />
            <bdi class="person-name">{author.name.clone()}</bdi>
            <span class="person-you">{you}</span>
        </li>
    }
    .into_any()
}

/// Everyone is in the lobby; other rooms can be left.
fn leave(view: View) -> AnyView {
    let other = move || {
        let room = view.open.room.get();
        let lines = view.lines.read();
        let line = lines.iter().find(|line| Some(line.id) == room);
        line.is_some_and(|line| line.name != LOBBY && !line.new)
    };
    let offline = flag(move || view.connection.get() != Connection::Online);
    when(other, move || {
        let leave = press(move || {
            if let Some(room) = view.open.room.get_untracked() {
                view.leave(room);
            }
        });
        pill_while("Leave room", offline, leave)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_in_the_list_is_told_with_the_reason_for_it() {
        assert_eq!(note(0, false, false), "Not known while you are not connected.");
        assert_eq!(note(0, true, true), "Too many people to list.");
        assert_eq!(note(0, false, true), "", "it is about to be told");
        assert_eq!(note(3, false, true), "");
        assert_eq!(note(203, false, true), "and 3 others");
    }
}
