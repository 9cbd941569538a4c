//! Making a room. It works without a connection: the room is sent with what is said in it.

use super::Dialog;
use crate::{app::use_menu, browser};
use leptos::{ev::SubmitEvent, prelude::*};
use leptos_router::hooks::use_navigate;

/// Asks for a new room's name, makes it and goes there.
#[component]
pub fn RoomDialog(
    /// Whether it is asked.
    open: RwSignal<bool>,
) -> impl IntoView {
    view! {
        <Dialog open title="New room">
            <RoomForm open />
        </Dialog>
    }
}

#[component]
fn RoomForm(open: RwSignal<bool>) -> impl IntoView {
    let (view, menu) = use_menu();
    let navigate = use_navigate();
    let name = RwSignal::new(String::new());
    let wished = move || name.with(|name| name.trim().to_owned());
    let wrong = Memo::new(move |_| {
        let most = view.limits.with(|limits| limits.name_chars as usize);
        let name = wished();
        let taken = view.lines.with(|lines| lines.iter().any(|line| line.name == name));
        match name.chars().count() {
            count if count > most => Some(format!("At most {most} characters.")),
            _ if taken => Some("There is a room with this name already.".to_owned()),
            _ => None,
        }
    });
    let unfit = move || wished().is_empty() || wrong.with(Option::is_some);
    let make = move |event: SubmitEvent| {
        event.prevent_default();
        if !unfit()
            && let Some(room) = view.create_room(wished())
        {
            open.set(false);
            menu.set(false);
            navigate(&browser::room_path(&wished(), room), Default::default());
        }
    };
    view! {
        <form class="dialog-form" on:submit=make>
            <label class="field">
                <span class="field-label">"Room name"</span>
                <input
                    class="input w-full"
                    type="text"
                    autocomplete="off"
                    autofocus
                    dir="auto"
                    aria-describedby="room-hint"
                    aria-invalid=move || wrong.with(Option::is_some).to_string()
                    bind:value=name
                />
            </label>
            <p id="room-hint" class="field-hint" class:field-wrong=move || wrong.with(Option::is_some)>
                {move || wrong.get().unwrap_or_else(|| "Everyone here can find and join it.".into())}
            </p>
            <div class="dialog-buttons">
                <button class="btn btn-ghost" type="button" on:click=move |_| open.set(false)>
                    "Cancel"
                </button>
                <button class="btn btn-primary" type="submit" disabled=unfit>"Create room"</button>
            </div>
        </form>
    }
}
