//! The queue's name, what is decided about it, and how it stands with the connection.

use super::{status::Status, use_board};
use crate::{
    board::Wish,
    components::{Mark, press, text, when},
};
use holdfast_common::{event::Namespace, work::Work};
use leptos::prelude::*;

/// The head of the page.
#[component]
pub fn Head() -> impl IntoView {
    let board = use_board();
    let (ns, queue) = board.at();
    let space =
        (ns != Work::NAME).then(|| view! { <bdi class="board-space">{ns} "/"</bdi> }.into_any());
    let known = move || board.queue(|_| ()).is_some();
    let paused = move || board.queue(|queue| queue.paused) == Some(true);
    let sign = || {
        // On a small screen the end of it is for the ear alone.
        view! { <span class="board-paused">"Paused"<span>": nothing begins"</span></span> }
            .into_any()
    };
    let buttons = move || {
        let decide = press(move || board.wish(Wish::Pause(!untrack(paused))));
        let busy = text(move || board.face.with(|face| face.deciding).to_string());
        let words = text(move || if paused() { "Resume" } else { "Pause" }.into());
        let pressed = text(move || board.audit.get().to_string());
        let look = press(move || board.audit.update(|audit| *audit = !*audit));
        view! {
            <div class="board-deeds">
                <button class="pill" type="button" aria-busy=busy on:click=decide>{words}</button>
                <button class="pill" type="button" aria-pressed=pressed on:click=look>"Audit"</button>
            </div>
        }
        .into_any()
    };
    view! {
        <header class="board-head">
            <nav class="board-ways" aria-label="Holdfast">
                <a class="brand" href="/" title="Rooms"><Mark /><span class="sr-only">"Rooms"</span></a>
                <a class="board-crumb" href="/queues">"Queues"</a>
                <span aria-hidden="true">"/"</span>
            </nav>
            <h1 class="board-name">{space}<bdi>{queue}</bdi></h1>
            {when(paused, sign)}
            {when(known, buttons)}
            <Status />
        </header>
    }
    .into_any()
}
