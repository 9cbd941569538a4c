//! How much waits and how much goes through, with lines of the last minute.

use super::{Board, use_board};
use crate::{
    board::{
        store::{POINTS, Point},
        words,
    },
    components::text,
};
use holdfast_common::job::figures::Spread;
use leptos::prelude::*;

/// A figure's height in its line, at most.
const HEIGHT: u64 = 20;

/// The figures.
#[component]
pub fn Figures() -> impl IntoView {
    let board = use_board();
    let queue = move |read: fn(&holdfast_common::frame::work::QueueShown) -> u64| board.queue(read);
    let count = |n: Option<u64>| n.map_or_else(none, words::count);
    let rate = move |read: fn(&holdfast_common::job::figures::Rates) -> u64| {
        board.face.with(|face| count(face.rates.as_ref().map(read)))
    };
    let later = move || match queue(|queue| queue.delayed + queue.behind) {
        Some(later) if later > 0 => format!("{} later", words::count(later)),
        _ => String::new(),
    };
    let most = move || {
        let most = board.queue(|queue| queue.settings.in_flight).flatten();
        most.map_or_else(String::new, |most| format!("of {most}"))
    };
    let oldest = move || {
        let now = board.clock.get();
        let ago = |since: i64| words::seconds(u64::try_from(now - since).unwrap_or(0));
        board.face.with(|face| face.oldest).map_or_else(none, ago)
    };
    let wait = move || board.face.with(|face| face.rates.as_ref()?.wait);
    let run = move || board.face.with(|face| face.rates.as_ref()?.run);
    view! {
        <dl class="figures" aria-label="Figures">
            {tile("Ready", move || count(queue(|queue| queue.ready)), later, line(board, |it| it.ready))}
            {tile("In flight", move || count(queue(|queue| queue.leased)), most, line(board, |it| it.leased))}
            {tile("Oldest", oldest, String::new, line(board, |it| it.oldest))}
            {tile("Done/min", move || rate(|it| it.done), String::new, line(board, |it| it.done))}
            {tile("Failed/min", move || rate(|it| it.failed), String::new, line(board, |it| it.failed))}
            {tile("Wait", move || middle(wait()), move || tail(wait()), line(board, |it| it.wait))}
            {tile("Run", move || middle(run()), move || tail(run()), line(board, |it| it.run))}
        </dl>
    }
    .into_any()
}

fn none() -> String {
    "–".into()
}

fn middle(spread: Option<Spread>) -> String {
    spread.map_or_else(none, |spread| words::length(spread.p50_ms.0))
}

fn tail(spread: Option<Spread>) -> String {
    spread.map_or_else(String::new, |spread| format!("p95 {}", words::length(spread.p95_ms.0)))
}

fn tile(
    name: &'static str,
    value: impl Fn() -> String + Send + Sync + 'static,
    more: impl Fn() -> String + Send + Sync + 'static,
    line: AnyView,
) -> AnyView {
    view! {
        <div class="figure">
            <dt class="figure-name">{name}</dt>
            <dd class="figure-value">
                {text(value)}
                " "
                <small class="figure-more">{text(more)}</small>
            </dd>
            {line}
        </div>
    }
    .into_any()
}

/// The last minute as a line, for the eye alone.
fn line(board: Board, of: fn(&Point) -> u64) -> AnyView {
    let points = text(move || board.face.with(|face| path(face.points.iter().map(of))));
    view! {
        <svg
            class="figure-line"
            viewBox=format!("0 -1 {} {}", POINTS - 1, HEIGHT + 2)
            preserveAspectRatio="none"
            aria-hidden="true"
        >
            <polyline points=points />
        </svg>
    }
    .into_any()
}

/// The newest at the right end; the highest touches the top.
fn path(values: impl ExactSizeIterator<Item = u64> + Clone) -> String {
    let most = values.clone().max().unwrap_or(0).max(1);
    let first = POINTS - values.len().min(POINTS);
    let points = values.enumerate().map(|(n, value)| {
        let height = HEIGHT - value.saturating_mul(HEIGHT) / most;
        format!("{},{height}", first + n)
    });
    points.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_figure_is_at_the_right_end_and_the_highest_at_the_top() {
        assert_eq!(path([0, 4, 2].into_iter()), "57,20 58,0 59,10");
        assert_eq!(path([0].into_iter()), "59,20");
        assert_eq!(path([].into_iter()), "");
    }
}
