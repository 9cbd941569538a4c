//! What was decided about the queue and its jobs: by whom, and when.

use super::{Board, part, polled::Polled, use_board, words_of};
use crate::{
    board::words,
    browser,
    components::{fresh, pill},
    format,
};
use holdfast_common::{id::PersonId, time::Timestamp};
use leptos::prelude::*;
use serde_json::Value;

/// Notes of a page.
const PAGE: usize = 50;

/// The audit, a page at a time, in place of the columns.
pub(super) fn audit() -> AnyView {
    let board = use_board();
    let (ns, queue) = board.at();
    let newest = format!("/api/v1/{}/queues/{}/audit?limit={PAGE}", part(&ns), part(&queue));
    let polled = Polled::new(newest.clone());
    let notes = fresh(move || polled.told.with(|told| page(board, polled, &newest, told)));
    view! { <main id="audit" class="audit" tabindex="-1" aria-label="Audit">{notes}</main> }
        .into_any()
}

fn page(board: Board, polled: Polled, newest: &str, told: &str) -> AnyView {
    let Ok(answer) = serde_json::from_str::<Value>(told) else {
        return words_of("column-empty", told.to_owned());
    };
    let notes = answer["audit"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_first = polled.is_at(newest);
    let empty = if is_first { "Nothing was decided here yet." } else { "There is nothing older." };
    let turn = move |words, address: String| {
        pill(words, move || {
            polled.turn(address.clone());
            // The button goes with its page.
            browser::focus("#audit");
        })
    };
    let last = notes.last().filter(|_| notes.len() == PAGE);
    let last = last.and_then(|note| note["seq"].as_u64());
    view! {
        <ul class="notes">{notes.iter().map(|note| line(board, note)).collect::<Vec<_>>()}</ul>
        <p class="job-buttons">
            {notes.is_empty().then(|| words_of("column-empty", empty.to_owned()))}
            {last.map(|seq| turn("Older", format!("{newest}&before={seq}")))}
            {(!is_first).then(|| turn("Newest", newest.to_owned()))}
        </p>
    }
    .into_any()
}

fn line(board: Board, note: &Value) -> AnyView {
    let text = |of: &Value| of.as_str().unwrap_or_default().to_owned();
    let number = |name: &str| note[name].as_u64().unwrap_or_default();
    let (deed, has_jobs) = words::deed(&text(&note["deed"]));
    let id = text(&note["job"]);
    let card = id.parse().ok().and_then(|id| board.card(id));
    let title = card.map(|card| card.with_untracked(|card| card.title.clone()));
    let jobs = title.unwrap_or_else(|| format::count(number("count"), "job"));
    let at = Timestamp(number("at"));
    let name = text(&note["by"]["name"]);
    // Nobody checks what a service calls itself: it may be a person's name.
    let is_service = text(&note["by"]["id"]).parse() == Ok(PersonId::SERVICE);
    let service = (is_service && name != "service").then_some(" (service)");
    view! {
        <li class="note">
            {words_of("details-name", name)}
            {service}
            " "
            {deed}
            " "
            {has_jobs.then(|| words_of("", jobs))}
            <time class="details-time" datetime=format::iso(at)>
                {format::full(at).unwrap_or_default()}
            </time>
            {words_of("note-detail", text(&note["detail"]))}
            {words_of("note-detail", id)}
        </li>
    }
    .into_any()
}
