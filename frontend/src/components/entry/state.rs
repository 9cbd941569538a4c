//! How far an own event has come, by sign and in words.

use crate::{
    components::{Glyph, Icon},
    store::{Body, EntryRow, Pending, State},
    view::use_view,
};
use leptos::prelude::*;

/// The sign of an own event's state.
#[component]
pub(super) fn StateMark(entry: RwSignal<EntryRow>) -> impl IntoView {
    let state = Memo::new(move |_| {
        entry.with(|entry| {
            let gone = matches!(entry.body, Body::Hollow { .. });
            (entry.own && !gone).then(|| entry.state.clone())
        })
    });
    move || {
        state.get().map(|state| {
            let (glyph, words) = sign(&state);
            view! {
                <span class="entry-state" title=words>
                    <Icon glyph />
                    <span class="sr-only">{words}</span>
                </span>
            }
        })
    }
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
#[component]
pub(super) fn Refused(entry: RwSignal<EntryRow>) -> impl IntoView {
    let view = use_view();
    let why = Memo::new(move |_| {
        entry.with(|entry| match &entry.state {
            State::Rejected(refusal) => Some(refusal.detail.clone()),
            _ => None,
        })
    });
    let text = entry.with_untracked(|entry| matches!(entry.body, Body::Text(_)));
    let id = entry.with_untracked(|entry| entry.id);
    let edit = move |_| view.edit(&entry.get_untracked());
    move || {
        why.get().map(|why| {
            view! {
                <div class="refused">
                    <p>"Not accepted: " {why.to_string()}</p>
                    <div class="refused-buttons">
                        <button class="pill" type="button" on:click=move |_| view.resend(id)>
                            "Retry"
                        </button>
                        {text
                            .then(|| {
                                view! {
                                    <button class="pill" type="button" on:click=edit>
                                        "Edit"
                                    </button>
                                }
                            })}
                        <button class="pill" type="button" on:click=move |_| view.discard(id)>
                            "Discard"
                        </button>
                    </div>
                </div>
            }
        })
    }
}

/// An own change that is not confirmed yet.
#[component]
pub(super) fn PendingNote(entry: RwSignal<EntryRow>) -> impl IntoView {
    let view = use_view();
    let pending = Memo::new(move |_| entry.with(|entry| entry.pending.clone()));
    move || {
        pending.get().map(|pending| {
            let id = pending.id;
            let undo = (pending.state == State::Queued).then(|| {
                view! {
                    <button class="link" type="button" on:click=move |_| view.discard(id)>
                        "Discard"
                    </button>
                }
            });
            view! {
                <p class="entry-pending">
                    <Icon glyph=sign(&pending.state).0 />
                    {progress(&pending)}
                    {undo}
                </p>
            }
        })
    }
}

fn progress(pending: &Pending) -> &'static str {
    match (&pending.text, &pending.state) {
        (Some(_), State::Queued) => "Edit waiting to be sent",
        (Some(_), _) => "Edit sent, not yet confirmed",
        (None, State::Queued) => "Deletion waiting to be sent",
        (None, _) => "Deletion sent, not yet confirmed",
    }
}
