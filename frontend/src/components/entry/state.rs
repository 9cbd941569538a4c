//! How far an own event has come, by sign and in words.

use super::tools::{step_back, step_off};
use crate::{
    components::{
        Glyph, Icon,
        pieces::{fresh, link, pill, unseen, when},
    },
    store::{Body, EntryRow, Pending, State},
    view::View,
};
use leptos::prelude::*;

/// The sign of an own event's state.
pub(super) fn state_mark(entry: RwSignal<EntryRow>) -> AnyView {
    let state = Memo::new(move |_| {
        entry.with(|entry| {
            let gone = matches!(entry.body, Body::Hollow { .. });
            (entry.own && !gone).then(|| entry.state.clone())
        })
    });
    fresh(move || match state.get() {
        Some(state) => {
            let (glyph, words) = sign(&state);
            view! {
                <span class="entry-state" title=words>
                    <Icon glyph />
                    {unseen(words)}
                </span>
            }
            .into_any()
        }
        None => ().into_any(),
    })
}

fn sign(state: &State) -> (Glyph, &'static str) {
    match state {
        State::Queued => (Glyph::Clock, "Waiting to be sent"),
        State::Sent => (Glyph::Sent, "Sent, not yet confirmed"),
        State::Acked => (Glyph::Check, "Confirmed by the server"),
        State::Rejected(_) => (Glyph::Alert, "Not accepted"),
    }
}

/// Why an event was refused, and what can be done.
pub(super) fn refused(view: View, entry: RwSignal<EntryRow>) -> AnyView {
    let why = Memo::new(move |_| {
        entry.with(|entry| match &entry.state {
            State::Rejected(refusal) => refusal.detail.to_string(),
            _ => String::new(),
        })
    });
    let (id, text) = entry.with_untracked(|entry| (entry.id, matches!(entry.body, Body::Text(_))));
    fresh(move || {
        let why = why.get();
        if why.is_empty() {
            return ().into_any();
        }
        let retry = move || {
            step_off(id);
            view.resend(id);
        };
        let again = when(
            move || view.open.writable.get(),
            move || {
                let edit = text.then(|| pill("Edit", move || view.edit(&entry.get_untracked())));
                let retry = pill("Retry", retry);
                view! { {retry} {edit} }.into_any()
            },
        );
        let discard = move || {
            step_off(id);
            view.discard(id);
        };
        view! {
            <div class="refused">
                <p>"Not accepted: " {why}</p>
                <div class="refused-buttons">
                    {again}
                    {pill("Discard", discard)}
                </div>
            </div>
        }
        .into_any()
    })
}

/// An own change that is not confirmed yet.
pub(super) fn pending_note(view: View, entry: RwSignal<EntryRow>) -> AnyView {
    let pending = Memo::new(move |_| entry.with(|entry| entry.pending.clone()));
    fresh(move || match pending.get() {
        Some(pending) => {
            let id = pending.id;
            let queued = pending.state == State::Queued;
            let undo = move || {
                step_back(entry.with_untracked(|entry| entry.id));
                view.discard(id);
            };
            let undo = queued.then(|| link("Discard", undo));
            view! {
                <p class="entry-pending">
                    <Icon glyph=sign(&pending.state).0 />
                    {progress(&pending)}
                    {undo}
                </p>
            }
            .into_any()
        }
        None => ().into_any(),
    })
}

fn progress(pending: &Pending) -> &'static str {
    match (&pending.text, &pending.state) {
        (Some(_), State::Queued) => "Edit waiting to be sent",
        (Some(_), _) => "Edit sent, not yet confirmed",
        (None, State::Queued) => "Deletion waiting to be sent",
        (None, _) => "Deletion sent, not yet confirmed",
    }
}
