//! The first visit: who sits here?

use crate::{
    components::{Mark, StorageNotice},
    view::use_view,
};
use leptos::{ev::SubmitEvent, prelude::*};

/// Asks for a name.
#[component]
pub fn Welcome() -> impl IntoView {
    let view = use_view();
    let name = RwSignal::new(String::new());
    let given = move || name.with(|name| name.trim().to_owned());
    let long = move || {
        let most = view.limits.with(|limits| limits.name_chars as usize);
        given().chars().count() > most
    };
    let unfit = move || given().is_empty() || long();
    let join = move |event: SubmitEvent| {
        event.prevent_default();
        if !unfit() {
            view.introduce(given());
        }
    };
    view! {
        <main class="welcome">
            <form class="welcome-card" on:submit=join>
                <div class="brand brand-large"><Mark />"Holdfast"</div>
                <p class="text-base-content/80">
                    "Rooms that survive a broken connection. What you write is held on this device until the server has it; what you miss is shown when you are back."
                </p>
                <label class="field">
                    <span class="field-label">"Your name"</span>
                    <input
                        class="input w-full"
                        type="text"
                        autocomplete="name"
                        autofocus
                        dir="auto"
                        aria-describedby="name-hint"
                        aria-invalid=move || long().to_string()
                        bind:value=name
                    />
                </label>
                <p id="name-hint" class="field-hint" class:field-wrong=long>
                    {move || {
                        if long() {
                            "That is too long for a name."
                        } else {
                            "Others see it beside what you write. You can change it later."
                        }
                    }}
                </p>
                <button class="btn btn-primary w-full" type="submit" disabled=unfit>"Join"</button>
                <StorageNotice />
            </form>
        </main>
    }
}
