//! A new task.

use super::use_board;
use crate::{
    board::Wish,
    browser,
    components::{Glyph, Icon, flag},
    link::BoardLink,
};
use holdfast_common::work::Task;
use leptos::{ev::SubmitEvent, prelude::*};

/// Where a person adds a task.
#[component]
pub fn NewTask() -> impl IntoView {
    let board = use_board();
    let title = RwSignal::new(String::new());
    let body = RwSignal::new(String::new());
    let unfit = flag(move || title.with(|title| title.trim().is_empty()));
    let add: Box<dyn FnMut(SubmitEvent)> = Box::new(move |event| {
        event.prevent_default();
        if unfit.get_untracked() {
            return;
        }
        let task = Task {
            title: title.with_untracked(|title| title.trim().to_owned()),
            body: body.with_untracked(|body| body.trim().to_owned()),
        };
        title.set(String::new());
        body.set(String::new());
        board.wish(Wish::Add(BoardLink::new_id(), task));
        browser::focus("#task-title");
    });
    view! {
        <form class="task" aria-label="New task" on:submit=add>
            <input
                id="task-title"
                class="task-title"
                type="text"
                autocomplete="off"
                dir="auto"
                aria-label="Title"
                placeholder="New task"
                bind:value=title
            />
            <textarea
                class="task-body"
                rows="1"
                dir="auto"
                aria-label="Details"
                placeholder="Details"
                bind:value=body
            ></textarea>
            <button class="btn btn-primary btn-sm" type="submit" disabled=unfit>
                <Icon glyph=Glyph::Plus />
                "Add"
            </button>
        </form>
    }
    .into_any()
}

/// The way on from where nothing is.
pub(super) fn to_queues() -> AnyView {
    view! { <a class="btn btn-primary btn-sm" href="/queues">"See the queues"</a> }.into_any()
}
