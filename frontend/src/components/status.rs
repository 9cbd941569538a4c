//! How it stands with the link and the outbox, always truthfully.

use super::{
    Glyph, Icon,
    pieces::{pill, press, text, when},
};
use crate::{
    browser, format,
    store::Connection,
    view::{View, use_view},
};
use holdfast_common::error::Code;
use leptos::prelude::*;

/// The link's state. The seconds tick for the eye alone: read out, they would never end.
#[component]
pub fn Status() -> impl IntoView {
    let view = use_view();
    let state = move || view.connection.get();
    let said = Memo::new(move |_| said(state(), view.waiting.get()));
    let retry = move || {
        let press = press(move || view.retry_now());
        view! {
            <button class="pill" type="button" on:click=press>
                <Icon glyph=Glyph::Again />
                "Try now"
            </button>
        }
        .into_any()
    };
    let reload = || pill("Reload the page", browser::reload);
    view! {
        <div
            class="state-bar"
            role="status"
            data-link=text(move || state().name().into())
            data-queued=text(move || view.waiting.get().to_string())
        >
            <span class="state-bar-dot" aria-hidden="true"></span>
            <span class="state-bar-text">
                {text(move || said.get())}
                <span aria-hidden="true">{text(move || countdown(view))}</span>
            </span>
            {when(move || state().can_retry(), retry)}
            {when(move || helps_to_reload(state()), reload)}
        </div>
    }
    .into_any()
}

/// Whether a page that is loaded anew may do better.
fn helps_to_reload(connection: Connection) -> bool {
    match connection {
        Connection::Blocked { why, storage, full } => {
            (storage && !full) || why == Some(Code::UnsupportedVersion)
        }
        _ => false,
    }
}

/// The state in words, without the countdown.
fn said(connection: Connection, waiting: usize) -> String {
    let events = format::count(waiting as u64, "event");
    let waits = if waiting == 0 { String::new() } else { format!(" – {events} waiting") };
    match connection {
        Connection::Online if waiting == 0 => "Online".into(),
        Connection::Online => format!("Online – sending {events}"),
        Connection::Connecting => format!("Connecting…{waits}"),
        Connection::Offline { why, .. } => {
            let why = why.map(|code| format!(". {}", code.text().trim_end_matches('.')));
            // The countdown follows, and a phone has one line for both.
            let waits = (waiting > 0).then(|| format!(" – {waiting} unsent"));
            format!("Offline{}{}", waits.unwrap_or_default(), why.unwrap_or_default())
        }
        Connection::Blocked { full: true, .. } => {
            format!("Not connected{waits}. This browser has no room left.")
        }
        Connection::Blocked { storage: true, .. } => {
            format!("Not connected{waits}. This browser’s database does not answer.")
        }
        Connection::Blocked { why, .. } => {
            let why = why.map_or("The server does not take this connection.", Code::text);
            format!("Not connected{waits}. {why}")
        }
    }
}

fn countdown(view: View) -> String {
    let Connection::Offline { retry_at, .. } = view.connection.get() else {
        return String::new();
    };
    let now = view.clock.get().steady.max(browser::now().steady);
    let seconds = (retry_at - now).0.div_ceil(1000);
    match seconds {
        0 => " · trying now".into(),
        _ => format!(" · retry in {seconds}\u{a0}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_common::time::Instant;

    #[test]
    fn the_state_is_told_with_what_waits() {
        let offline = |why| Connection::Offline { retry_at: Instant(0), why };
        assert_eq!(said(Connection::Online, 0), "Online");
        assert_eq!(said(Connection::Online, 1), "Online – sending 1 event");
        assert_eq!(said(offline(None), 3), "Offline – 3 unsent");
        assert_eq!(said(offline(Some(Code::GoingAway)), 0), "Offline. The server is restarting");
        let full = offline(Code::from_close(4414));
        assert_eq!(said(full, 2), "Offline – 2 unsent. The server's disk is full");
    }

    #[test]
    fn a_blocked_link_tells_its_reason() {
        let blocked = Connection::Blocked {
            why: Some(Code::UnsupportedVersion),
            storage: false,
            full: false,
        };
        assert_eq!(
            said(blocked, 2),
            "Not connected – 2 events waiting. Page and server speak different versions."
        );
        let storage = |full| Connection::Blocked { why: None, storage: true, full };
        let failed = "Not connected. This browser’s database does not answer.";
        assert_eq!(said(storage(false), 0), failed);
        let full = "Not connected – 1 event waiting. This browser has no room left.";
        assert_eq!(said(storage(true), 1), full);
    }
}
