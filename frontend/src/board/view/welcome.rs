//! The first visit: who sits here?

use super::use_board;
use crate::components::{Mark, NameField, flag, text};
use holdfast_common::limits::Limits;
use leptos::{ev::SubmitEvent, prelude::*};

/// Asks for a name.
#[component]
pub fn Welcome() -> impl IntoView {
    let board = use_board();
    let most = Limits::default().name_chars as usize;
    let name = RwSignal::new(String::new());
    let given = move || name.with(|name| name.trim().to_owned());
    let long = flag(move || given().chars().count() > most);
    let unfit = flag(move || given().is_empty() || long.get());
    let hint = text(move || {
        if long.get() {
            format!("At most {most} characters.")
        } else {
            "Others see it on the jobs that you take.".into()
        }
    });
    let join: Box<dyn FnMut(SubmitEvent)> = Box::new(move |event| {
        event.prevent_default();
        if !unfit.get_untracked() {
            board.introduce(untrack(given));
        }
    });
    view! {
        <main class="welcome">
            <form class="welcome-card" on:submit=join>
                <h1 class="brand brand-large"><Mark />"Holdfast"</h1>
                <p class="welcome-words">
                    "A queue of jobs for people and services. Each is done by one: take what you can do, and say when it is done."
                </p>
                <NameField label="Your name" value=name hint wrong=long autocomplete="name" />
                <button class="btn btn-primary w-full" type="submit" disabled=unfit>"Join"</button>
            </form>
        </main>
    }
    .into_any()
}
