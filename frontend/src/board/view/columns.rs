//! The four columns. On a small screen one is seen at a time.

use super::{Board, card::card_view, dead::filter, task::NewTask, use_board};
use crate::{
    board::{Wish, store::Column, words},
    components::{pill, press, row, text, when},
};
use leptos::prelude::*;

/// The jobs.
#[component]
pub fn Columns() -> impl IntoView {
    let board = use_board();
    let tabs = Column::ALL.map(|column| tab(board, column)).collect_view();
    let columns = Column::ALL.map(|column| column_view(board, column)).collect_view();
    let open = text(move || board.open.get());
    view! {
        <div class="lanes" role="group" aria-label="Jobs that are">{tabs}</div>
        <main id="main" class="columns" tabindex="-1" data-open=open>{columns}</main>
    }
    .into_any()
}

fn count(board: Board, column: Column) -> Signal<String> {
    text(move || {
        let of = |queue: &holdfast_common::frame::work::QueueShown| match column {
            Column::Ready => queue.ready,
            Column::Taken => queue.leased,
            Column::Done => queue.done,
            Column::Dead => queue.dead,
        };
        board.queue(of).map_or_else(String::new, words::count)
    })
}

fn tab(board: Board, column: Column) -> AnyView {
    let pressed = text(move || board.open.with(|open| open == column.key()).to_string());
    let open = press(move || board.open.set(column.key().into()));
    view! {
        <button class="lane" type="button" aria-pressed=pressed on:click=open>
            {column.name()}
            " "
            <span class="lane-count">{count(board, column)}</span>
        </button>
    }
    .into_any()
}

fn column_view(board: Board, column: Column) -> AnyView {
    let name = column.key();
    let rows = move || board.face.with(|face| face.rows[column as usize].clone());
    let more = move || board.face.with(|face| face.more[column as usize]);
    let title = format!("column-{name}");
    let class = format!("column column-{name}");
    let before = match column {
        Column::Ready if board.takes_tasks() => view! { <NewTask /> }.into_any(),
        Column::Dead => filter(board),
        _ => ().into_any(),
    };
    let empty = move || board.queue(|_| ()).is_some() && rows().is_empty();
    let show = move || pill("Show more", move || board.wish(Wish::More(column)));
    let list = Owner::current().unwrap_or_default();
    let card = move |id| row(&list, move || card_view(board, id));
    view! {
        <section class=class aria-labelledby=title.clone()>
            <h2 id=title.clone() class="column-title">
                {column.name()}
                " "
                <span class="column-count">{count(board, column)}</span>
            </h2>
            <div class="column-body">
                {before}
                <For each=rows key=|id| *id children=card />
                {when(empty, move || nothing(column))}
                {when(more, show)}
            </div>
        </section>
    }
    .into_any()
}

fn nothing(column: Column) -> AnyView {
    let words = match column {
        Column::Ready => "Nothing waits.",
        Column::Taken => "Nobody has a job.",
        Column::Done => "Nothing was done in the last while.",
        Column::Dead => "No dead letters.",
    };
    view! { <p class="column-empty">{words}</p> }.into_any()
}
