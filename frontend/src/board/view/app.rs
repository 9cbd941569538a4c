//! The page as a whole: it waits for the database, asks for a name, then shows the queue.

use super::{
    Board, audit::audit, columns::Columns, figures::Figures, head::Head, queues::Queues,
    task::to_queues, use_board, welcome::Welcome,
};
use crate::{
    board::Wish,
    board::place::Place,
    browser,
    components::{Glyph, Icon, Press, either, flag, press, text, tool, when},
    link::here,
};
use leptos::prelude::*;

/// The page.
#[component]
pub fn BoardApp() -> impl IntoView {
    match here() {
        Place::Queues => view! { <Queues /> }.into_any(),
        Place::Queue { ns, queue } => {
            document().set_title(&format!("{queue} · Queues · Holdfast"));
            let board = Board::start(ns, queue);
            provide_context(board);
            let known = move || board.face.with(|face| face.known);
            let page = move || either(known, shell, || view! { <Welcome /> }.into_any());
            let starting = || view! { <p class="boot">"Loading…"</p> }.into_any();
            either(move || board.loaded.get(), page, starting)
        }
    }
}

fn shell() -> AnyView {
    let board = use_board();
    let skip: Press = Box::new(|event| {
        event.prevent_default();
        browser::focus_any(&["#audit", "#main"]);
    });
    let audited = move || board.audit.get();
    let missing = move || board.face.with(|face| face.missing);
    view! {
        <a class="skip" href="#main" on:click=skip>"Skip to the jobs"</a>
        <div class="board" class:board-audit=flag(audited)>
            <Head />
            {notice(board)}
            {either(missing, nowhere, jobs)}
        </div>
        <div class="sr-only" aria-live="polite">{text(move || board.said.get())}</div>
    }
    .into_any()
}

fn jobs() -> AnyView {
    let board = use_board();
    view! {
        <Figures />
        {when(move || board.audit.get(), audit)}
        <Columns />
    }
    .into_any()
}

fn nowhere() -> AnyView {
    let name = use_board().at().1;
    view! {
        <main id="main" class="blank" tabindex="-1">
            <p class="blank-title">"There is no queue " <bdi>{name}</bdi> "."</p>
            {to_queues()}
        </main>
    }
    .into_any()
}

fn notice(board: Board) -> AnyView {
    let words = move || board.face.with(|face| face.notice.clone());
    let shown = move || {
        let dismiss = press(move || board.wish(Wish::DismissNotice));
        view! {
            <div class="notice" role="alert">
                <Icon glyph=Glyph::Alert />
                <p class="notice-text">{text(words)}</p>
                {tool("Dismiss", Glyph::Cross, "", dismiss)}
            </div>
        }
        .into_any()
    };
    when(move || !words().is_empty(), shown)
}
