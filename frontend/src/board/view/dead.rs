//! Looking through the dead letters, and deciding about all that were found.

use super::Board;
use crate::{
    board::{Wish, store::Column},
    components::{pill, when},
};
use holdfast_common::frame::work::{Like, Which};
use leptos::{
    ev::{Event, SubmitEvent},
    prelude::*,
};

/// The filter of the dead letters, where there are any.
pub(super) fn filter(board: Board) -> AnyView {
    let any = move || board.face.with(|face| !face.like.is_all());
    let some = move || board.queue(|queue| queue.dead > 0) == Some(true);
    when(move || some() || any(), move || form(board))
}

fn form(board: Board) -> AnyView {
    let kind = RwSignal::new(String::new());
    let error = RwSignal::new(String::new());
    let asked = move || {
        let part = |text: RwSignal<String>| {
            let text = text.with_untracked(|text| text.trim().to_owned());
            (!text.is_empty()).then_some(text)
        };
        Like { kind: part(kind), error: part(error) }
    };
    let look = move || board.wish(Wish::Filter(asked()));
    let field = |name, text| field(name, text, Box::new(move |_| look()));
    let submit: Box<dyn FnMut(SubmitEvent)> = Box::new(move |event| {
        event.prevent_default();
        look();
    });
    let again = move || {
        board.wish(Wish::Requeue(
            Which::Like(board.face.with_untracked(|face| face.like.clone())),
            None,
        ))
    };
    let some = move || board.face.with(|face| !face.rows[Column::Dead as usize].is_empty());
    view! {
        <form class="search" role="search" aria-label="Dead letters" on:submit=submit>
            {field("Type", kind)}
            {field("Error", error)}
            <button class="sr-only" type="submit">"Look"</button>
            {when(some, move || pill("Requeue all", again))}
        </form>
    }
    .into_any()
}

fn field(name: &'static str, text: RwSignal<String>, changed: Box<dyn FnMut(Event)>) -> AnyView {
    view! {
        <input
            class="search-field"
            type="search"
            autocomplete="off"
            dir="auto"
            aria-label=name
            placeholder=name
            bind:value=text
            on:change=changed
        />
    }
    .into_any()
}
