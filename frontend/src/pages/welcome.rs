//! The first visit: who sits here?

use crate::{
    components::{Mark, NameField, StorageNotice, flag, is_long, text},
    view::use_view,
};
use leptos::{ev::SubmitEvent, prelude::*};

/// Asks for a name.
#[component]
pub fn Welcome() -> impl IntoView {
    let view = use_view();
    let name = RwSignal::new(String::new());
    let given = move || name.with(|name| name.trim().to_owned());
    let long = flag(move || is_long(&given()));
    let unfit = flag(move || given().is_empty() || long.get());
    let hint = text(move || {
        if long.get() {
            format!("At most {} characters.", view.limits.get().name_chars)
        } else {
            "Others see it beside what you write. You can change it later.".into()
        }
    });
    let join: Box<dyn FnMut(SubmitEvent)> = Box::new(move |event| {
        event.prevent_default();
        if !unfit.get_untracked() {
            view.introduce(untrack(given));
        }
    });
    view! {
        <main class="welcome">
            <form class="welcome-card" on:submit=join>
                <h1 class="brand brand-large"><Mark />"Holdfast"</h1>
                <p class="welcome-words">
                    "Rooms that survive a broken connection. What you write is held on this device until the server has it; what you miss is shown when you are back."
                </p>
                <NameField label="Your name" value=name hint wrong=long autocomplete="name" />
                <button class="btn btn-primary w-full" type="submit" disabled=unfit>"Join"</button>
                <StorageNotice />
            </form>
        </main>
    }
    .into_any()
}
