//! The queues that there are.

use super::{part, polled::Polled, words_of};
use crate::{
    board::words,
    components::{Mark, fresh},
};
use holdfast_common::{event::Namespace, system::SYSTEM, work::Work};
use leptos::prelude::*;
use serde_json::Value;

/// The queues of every namespace.
#[component]
pub fn Queues() -> impl IntoView {
    document().set_title("Queues · Holdfast");
    let told = Polled::new("/api/v1/queues".to_owned()).told;
    let lines = move || match serde_json::from_str::<Value>(&told.get()) {
        Ok(answer) => {
            let queues = || answer["queues"].as_array().into_iter().flatten();
            let own = |queue: &&Value| queue["namespace"] == SYSTEM;
            // The server's own are the last that people look for.
            let sorted = queues().filter(|it| !own(it)).chain(queues().filter(own));
            sorted.map(line).collect::<Vec<_>>().into_any()
        }
        Err(_) => view! { <p class="blank" role="status">{told.get()}</p> }.into_any(),
    };
    view! {
        <div class="board">
            <header class="board-head">
                <nav class="board-ways" aria-label="Holdfast">
                    <a class="brand" href="/" title="Rooms"><Mark /><span class="sr-only">"Rooms"</span></a>
                </nav>
                <h1 class="board-name">"Queues"</h1>
            </header>
            <main id="main" class="queues" tabindex="-1">
                {fresh(lines)}
            </main>
        </div>
    }
    .into_any()
}

fn line(queue: &Value) -> AnyView {
    let text = |name: &str| queue[name].as_str().unwrap_or_default();
    let (ns, name) = (text("namespace"), text("name").to_owned());
    let (other, space) = match ns {
        Work::NAME => (String::new(), String::new()),
        ns => (format!("{ns}/"), format!("{}/", part(ns))),
    };
    let href = format!("/queues/{space}{}", part(&name));
    let paused = queue["paused"] == true;
    let count = |what: &'static str, of: &str| {
        let n = queue[of].as_u64().unwrap_or(0);
        let class = match (n, what) {
            (0, _) => "queue-none",
            (_, "dead") => "queue-dead",
            _ => "",
        };
        words_of(class, format!("{} {what}", words::count(n)))
    };
    let rates = &queue["rates"];
    // Of a queue in which nothing ends there is nothing to be said.
    let rate = |what: &'static str, of: &str| {
        let n = rates[of].as_u64().filter(|n| *n > 0)?;
        Some(words_of("queue-none", format!("{} {what}/min", words::count(n))))
    };
    let length = |what: &'static str, of: &str| {
        let half = rates[of]["p50_ms"].as_u64()?;
        Some(words_of("queue-none", format!("{what} {}", words::length(half))))
    };
    let oldest = queue["oldest_ms"].as_u64();
    let oldest =
        oldest.map(|age| words_of("queue-none", format!("oldest {}", words::seconds(age))));
    view! {
        <a class="queue" href=href>
            <span class="queue-name">
                {words_of("board-space", other)}
                {words_of("", name)}
            </span>
            {paused.then(|| words_of("board-paused", "Paused".to_owned()))}
            <span class="queue-counts">
                {count("ready", "ready")} {oldest} {count("taken", "leased")} {count("done", "done")}
                {count("dead", "dead")}
                {rate("done", "done")} {rate("failed", "failed")} {length("wait", "wait")} {length("run", "run")}
            </span>
        </a>
    }
    .into_any()
}
