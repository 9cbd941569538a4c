//! How it stands with the connection and what waits for it, always truthfully.

use super::{Board, use_board};
use crate::{
    board::machine::Link,
    browser,
    components::{Glyph, Icon, press, text, when},
};
use holdfast_common::error::Code;
use leptos::prelude::*;

/// The connection's state. The seconds tick for the eye alone: read out, they would never end.
#[component]
pub fn Status() -> impl IntoView {
    let board = use_board();
    let state = move || board.face.with(|face| face.state);
    let waiting = move || board.face.with(|face| face.waiting);
    let said = text(move || said(state(), waiting()));
    let retry = move || {
        let press = press(move || board.retry_now());
        view! {
            <button class="pill" type="button" on:click=press>
                <Icon glyph=Glyph::Again />
                "Try now"
            </button>
        }
        .into_any()
    };
    let reload = || {
        let press = press(browser::reload);
        view! { <button class="pill" type="button" on:click=press>"Reload the page"</button> }
            .into_any()
    };
    let can_retry = move || matches!(state(), Link::Offline { .. } | Link::Blocked { .. });
    let old = move || state() == Link::Blocked { why: Some(Code::UnsupportedVersion) };
    view! {
        <div
            class="state-bar"
            role="status"
            data-link=text(move || name(state()).into())
            data-queued=text(move || waiting().to_string())
        >
            <span class="state-bar-dot" aria-hidden="true"></span>
            <span class="state-bar-text">
                {said}
                <span aria-hidden="true">{text(move || countdown(board))}</span>
            </span>
            {when(can_retry, retry)}
            {when(old, reload)}
        </div>
    }
    .into_any()
}

/// As in the page's `data-link`.
const fn name(state: Link) -> &'static str {
    match state {
        Link::Idle | Link::Connecting { .. } => "connecting",
        Link::Online => "online",
        Link::Offline { .. } => "offline",
        Link::Blocked { .. } => "blocked",
    }
}

/// The state in words, without the countdown.
fn said(state: Link, waiting: usize) -> String {
    let waits = if waiting == 0 { String::new() } else { format!(" – {waiting} waiting") };
    match state {
        Link::Online if waiting == 0 => "Online".into(),
        Link::Online => format!("Online – sending {waiting}"),
        Link::Idle | Link::Connecting { .. } => format!("Connecting…{waits}"),
        Link::Offline { why, .. } => {
            let why = why.map(|code| format!(". {}", code.text().trim_end_matches('.')));
            format!("Offline{waits}{}", why.unwrap_or_default())
        }
        Link::Blocked { why } => {
            let why = why.map_or("The server does not take this connection.", Code::text);
            format!("Not connected{waits}. {why}")
        }
    }
}

fn countdown(board: Board) -> String {
    let Link::Offline { until, .. } = board.face.with(|face| face.state) else {
        return String::new();
    };
    board.clock.track();
    match (until - browser::now().steady).0.div_ceil(1_000) {
        0 => " · trying now".into(),
        seconds => format!(" · retry in {seconds}\u{a0}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_common::time::Instant;

    #[test]
    fn the_state_is_told_with_what_waits() {
        let offline = Link::Offline { until: Instant(0), why: None };
        assert_eq!(said(Link::Online, 0), "Online");
        assert_eq!(said(Link::Online, 2), "Online – sending 2");
        assert_eq!(said(offline, 0), "Offline");
        assert_eq!(said(offline, 1), "Offline – 1 waiting");
        assert_eq!(said(Link::Connecting { since: Instant(0) }, 1), "Connecting… – 1 waiting");
    }
}
