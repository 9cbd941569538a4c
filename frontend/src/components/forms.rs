//! The questions that are answered with a name: a new room's, and one's own.

use super::{
    NameField,
    dialog::dialog_form,
    pieces::{flag, text},
};
use crate::{address::use_address, app::use_menu, browser, store::RoomLine, view::use_view};
use holdfast_common::text::name_key;
use leptos::prelude::*;

/// Asks for a new room's name, makes it and goes there. It works without a connection: the room is
/// sent with what is said in it.
pub fn room_form(open: RwSignal<bool>) -> AnyView {
    let (view, menu) = use_menu();
    let address = use_address();
    let name = RwSignal::new(String::new());
    let wished = move || name.with(|name| name.trim().to_owned());
    let wrong = Memo::new(move |_| {
        let most = view.limits.with(|limits| limits.name_chars as usize);
        let name = wished();
        let key = name_key(&name);
        let same = |line: &RoomLine| name_key(&line.name) == key && !line.inbox && !line.gone;
        let taken = view.lines.with(|lines| lines.iter().any(same));
        match name.chars().count() {
            count if count > most => format!("At most {most} characters."),
            _ if taken => "There is a room with this name already.".into(),
            _ => String::new(),
        }
    });
    let hint = text(move || match wrong.get() {
        wrong if wrong.is_empty() => "Everyone here can find and join it.".into(),
        wrong => wrong,
    });
    let is_wrong = flag(move || !wrong.get().is_empty());
    let make = move || {
        let name = untrack(wished);
        if let Some(room) = view.create_room(name.clone()) {
            menu.set(false);
            address.go(&browser::room_path(&name, room));
        }
    };
    let field = view! {
        <NameField label="Room name" value=name hint wrong=is_wrong autocomplete="off" />
    };
    let unfit = flag(move || wished().is_empty() || is_wrong.get());
    dialog_form(open, field.into_any(), "Create room", unfit, make)
}

/// Asks for another name for who sits here.
pub fn name_form(open: RwSignal<bool>) -> AnyView {
    let view = use_view();
    let known = view.me.get_untracked().map(|me| me.name);
    let name = RwSignal::new(known.unwrap_or_default());
    let wished = move || name.with(|name| name.trim().to_owned());
    let long = flag(move || is_long(&wished()));
    let hint = text(|| "What you wrote before keeps the name you had then.".into());
    let field = view! {
        <NameField label="New name" value=name hint wrong=long autocomplete="name" />
    };
    let unfit = flag(move || wished().is_empty() || long.get());
    let rename = move || view.introduce(untrack(wished));
    dialog_form(open, field.into_any(), "Change name", unfit, rename)
}

/// Whether a name has more characters than the server takes.
#[must_use]
pub fn is_long(name: &str) -> bool {
    let most = use_view().limits.with(|limits| limits.name_chars as usize);
    name.chars().count() > most
}
