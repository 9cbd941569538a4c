//! The queues that there are.

use crate::{
    board::words,
    components::{Mark, fresh},
    link::get,
};
use leptos::{prelude::*, task::spawn_local};
use serde_json::Value;
use std::time::Duration;

/// How often they are looked at anew.
const EVERY: Duration = Duration::from_secs(5);

/// The queues of a namespace.
#[component]
pub fn Queues(
    /// The namespace.
    ns: String,
) -> impl IntoView {
    document().set_title("Queues · Holdfast");
    let listed = RwSignal::new(String::new());
    let address = format!("/api/v1/{ns}/queues");
    let look = move || {
        let address = address.clone();
        spawn_local(async move { listed.set(get(&address).await.unwrap_or_else(|why| why)) });
    };
    look();
    // It runs as long as the page does.
    let _ = set_interval_with_handle(look, EVERY);
    let lines = move || match serde_json::from_str::<Value>(&listed.get()) {
        Ok(answer) => {
            let queues = answer["queues"].as_array().into_iter().flatten();
            queues.map(line).collect_view().into_any()
        }
        Err(_) => view! { <p class="blank" role="status">{listed.get()}</p> }.into_any(),
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
    let name = queue["name"].as_str().unwrap_or_default().to_owned();
    let href = format!("/queues/{}", String::from(js_sys::encode_uri_component(&name)));
    let paused = queue["paused"] == true;
    let count = |what: &'static str, of: &str| {
        let n = queue[of].as_u64().unwrap_or(0);
        let none = if n == 0 { "none" } else { what };
        view! { <span class=format!("queue-count queue-{none}")>{words::count(n)} " " {what}</span> }.into_any()
    };
    view! {
        <a class="queue" href=href>
            <bdi class="queue-name">{name}</bdi>
            {paused.then(|| view! { <span class="board-paused">"Paused"</span> })}
            <span class="queue-counts">
                {count("ready", "ready")} {count("taken", "leased")} {count("done", "done")}
                {count("dead", "dead")}
            </span>
        </a>
    }
    .into_any()
}
