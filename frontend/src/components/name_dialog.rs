//! Changing one's name.

use super::Dialog;
use crate::view::use_view;
use leptos::{ev::SubmitEvent, prelude::*};

/// Asks for another name.
#[component]
pub fn NameDialog(
    /// Whether it is asked.
    open: RwSignal<bool>,
) -> impl IntoView {
    view! {
        <Dialog open title="Change your name">
            <NameForm open />
        </Dialog>
    }
}

#[component]
fn NameForm(open: RwSignal<bool>) -> impl IntoView {
    let view = use_view();
    let known = view.me.get_untracked().map(|me| me.name);
    let name = RwSignal::new(known.unwrap_or_default());
    let wished = move || name.with(|name| name.trim().to_owned());
    let unfit = move || {
        let most = view.limits.with(|limits| limits.name_chars as usize);
        let count = wished().chars().count();
        count == 0 || count > most
    };
    let rename = move |event: SubmitEvent| {
        event.prevent_default();
        if !unfit() {
            view.introduce(wished());
            open.set(false);
        }
    };
    view! {
        <form class="dialog-form" on:submit=rename>
            <label class="field">
                <span class="field-label">"New name"</span>
                <input
                    class="input w-full"
                    type="text"
                    autocomplete="name"
                    autofocus
                    dir="auto"
                    bind:value=name
                />
            </label>
            <p class="field-hint">"What you wrote before keeps the name you had then."</p>
            <div class="dialog-buttons">
                <button class="btn btn-ghost" type="button" on:click=move |_| open.set(false)>
                    "Cancel"
                </button>
                <button class="btn btn-primary" type="submit" disabled=unfit>"Change name"</button>
            </div>
        </form>
    }
}
