//! All that the server knows of a job, when somebody asks.

use super::Board;
use crate::{board::words, components::either, format, link::get};
use holdfast_common::{id::JobId, json, time::Timestamp};
use leptos::{prelude::*, task::spawn_local};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

/// A job's payload to the letter: all else is read for showing it.
#[derive(Debug, Clone, Deserialize)]
struct Exact {
    data: Box<RawValue>,
}

/// Asks for a job's payload.
pub(super) async fn payload(address: String) -> Result<String, String> {
    let exact: Result<Exact, _> = json::read(&get(&address).await?);
    exact.map(|exact| exact.data.get().to_owned()).map_err(|_| "There is nothing to mend.".into())
}

/// All that is known of a job.
pub(super) fn details(board: Board, job: JobId) -> AnyView {
    let answer = RwSignal::new(String::new());
    let loaded = RwSignal::new(false);
    let address = board.address(job);
    spawn_local(async move {
        // It may have been closed meanwhile.
        let _ = answer.try_set(get(&address).await.unwrap_or_else(|why| why));
        let _ = loaded.try_set(true);
    });
    let shown = either(
        move || loaded.get(),
        move || answer.with(|answer| read(answer)),
        || none("Loading…".into()),
    );
    view! { <div class="details">{shown}</div> }.into_any()
}

fn none(words: String) -> AnyView {
    view! { <p class="details-none">{words}</p> }.into_any()
}

fn read(answer: &str) -> AnyView {
    let Ok(job) = serde_json::from_str::<Value>(answer) else {
        return none(answer.to_owned());
    };
    let errors = job["errors"].as_array().into_iter().flatten().rev().map(wrong).collect_view();
    view! {
        {part("Result", &job["result"])}
        {part("Payload", &job["data"])}
        <ul class="details-errors">{errors}</ul>
    }
    .into_any()
}

fn part(name: &'static str, json: &Value) -> AnyView {
    if json.is_null() {
        return ().into_any();
    }
    view! {
        <h4 class="details-name">{name}</h4>
        <pre class="details-json" tabindex="0" aria-label=name>{json.to_string()}</pre>
    }
    .into_any()
}

fn wrong(wrong: &Value) -> AnyView {
    let text = |name: &str| wrong[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| wrong[name].as_u64().unwrap_or_default();
    let (took, at) = (words::length(number("took_ms")), Timestamp(number("at")));
    let heading = format!("Attempt {} by ", number("attempt"));
    let time = format!("{}, after {took}", format::full(at).unwrap_or_default());
    view! {
        <li>
            <span class="details-name">{heading} <bdi>{text("consumer")}</bdi></span>
            <span class="details-error" dir="auto">{text("error")}</span>
            <time class="details-time" datetime=format::iso(at)>{time}</time>
        </li>
    }
    .into_any()
}
