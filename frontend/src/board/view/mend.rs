//! Mending a dead letter's payload before it begins anew.

use super::{Board, details};
use crate::{
    board::{Wish, store::Card},
    browser,
    components::{flag, press, text},
};
use holdfast_common::{frame::work::Which, json};
use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use serde::de::IgnoredAny;

/// Where a payload is mended.
pub(super) fn mend(board: Board, card: RwSignal<Card>, mending: RwSignal<bool>) -> AnyView {
    let (id, data) = card.with_untracked(|card| (card.id, card.data.clone()));
    let wrong = RwSignal::new(String::new());
    let begun = data.unwrap_or_default();
    let payload = RwSignal::new(begun.clone());
    // A board is not told a long one, and what it shows of a short one is not the letter of it.
    spawn_local(async move {
        match details::payload(board.address(id)).await {
            Ok(data) => {
                if payload.try_with_untracked(|text| *text == begun) == Some(true) {
                    payload.set(data);
                }
            }
            // The form may have been closed meanwhile.
            Err(why) => drop(wrong.try_set(why)),
        }
    });
    let unfit = flag(move || payload.with(|text| json::read::<IgnoredAny>(text).is_err()));
    let hint = text(move || match (wrong.get(), unfit.get()) {
        (why, true) if !why.is_empty() => why,
        (_, true) => "This is no JSON.".into(),
        _ => String::new(),
    });
    let cancel = press(move || mending.set(false));
    let submit: Box<dyn FnMut(SubmitEvent)> = Box::new(move |event| {
        event.prevent_default();
        if !unfit.get_untracked() {
            mending.set(false);
            let which = Which::Jobs(vec![id]);
            board.wish(Wish::Requeue(which, Some(payload.get_untracked())));
        }
    });
    request_animation_frame(|| browser::focus(".mend-field"));
    view! {
        <form class="mend" on:submit=submit>
            <textarea
                class="mend-field"
                rows="4"
                spellcheck="false"
                aria-label="Payload"
                aria-describedby="mend-hint"
                aria-invalid=text(move || unfit.get().to_string())
                bind:value=payload
            ></textarea>
            <p id="mend-hint" class="field-hint field-wrong">{hint}</p>
            <div class="job-buttons">
                <button class="pill pill-first" type="submit" disabled=unfit>"Requeue"</button>
                <button class="pill" type="button" on:click=cancel>"Cancel"</button>
            </div>
        </form>
    }
    .into_any()
}
