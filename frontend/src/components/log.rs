//! The open room's log.

mod hole;
mod scroll;

use super::{EntryView, Glyph, Icon};
use crate::{
    format,
    store::RowKey,
    view::{RowHandle, use_view},
};
use holdfast_common::time::Timestamp;
use hole::HoleView;
use leptos::{ev, html, prelude::*};
use scroll::Scroll;

/// Which entry has the keyboard. One of a log can be tabbed to, at first the last one; the arrows
/// lead to the others.
#[derive(Clone)]
pub(super) struct Roving {
    /// The one that had it last.
    pub(super) chosen: RwSignal<Option<RowKey>>,
    /// The one that can be tabbed to.
    pub(super) tabbed: Selector<Option<RowKey>>,
}

impl Roving {
    fn new(rows: RwSignal<Vec<RowHandle>>) -> Self {
        let chosen = RwSignal::new(None);
        let tabbed = Selector::new(move || {
            // The rows keep this longer than the log does: what it reads may be gone by then.
            let rows = rows.try_read()?;
            let entries = || rows.iter().filter(|row| matches!(row, RowHandle::Entry(..)));
            let chosen: Option<RowKey> = chosen.try_get().flatten();
            let there = chosen.filter(|chosen| entries().any(|row| row.key() == *chosen));
            there.or_else(|| entries().next_back().map(RowHandle::key))
        });
        Self { chosen, tabbed }
    }
}

/// The open room's log, at its newest events unless its reader looks back.
#[component]
pub fn Log(
    /// The room's name.
    name: Signal<String>,
) -> impl IntoView {
    let view = use_view();
    let frame = NodeRef::<html::Div>::new();
    let scroll = Scroll::new(view, frame);
    provide_context(Roving::new(view.open.rows));
    Effect::new(move |_| {
        view.open.changes.track();
        view.open.found.track();
        scroll.changed();
    });
    attend(scroll);
    view! {
        <div class="log-frame">
            <div
                class="log-scroll"
                node_ref=frame
                on:scroll=move |_| scroll.settle()
                on:keydown=rove
            >
                <div
                    class="log"
                    role="log"
                    aria-label=move || format!("Messages in {}", name.get())
                    aria-busy=move || view.open.asking.get().to_string()
                >
                    <For each=move || view.open.rows.get() key=RowHandle::key let(row)>
                        <LogRow row />
                    </For>
                </div>
            </div>
            <JumpUp scroll />
            <Jump scroll />
        </div>
    }
}

#[component]
fn LogRow(row: RowHandle) -> impl IntoView {
    match row {
        RowHandle::Day(at, _) => view! { <Day at /> }.into_any(),
        RowHandle::Missed => view! { <Missed /> }.into_any(),
        RowHandle::Hole(_, row) => view! { <HoleView row=RwSignal::from(row) /> }.into_any(),
        RowHandle::Entry(_, entry) => {
            view! { <EntryView entry=RwSignal::from(entry) /> }.into_any()
        }
    }
}

#[component]
fn Day(at: Timestamp) -> impl IntoView {
    let view = use_view();
    // Told anew at midnight, with the clock.
    let today = Memo::new(move |_| crate::browser::day_of(view.clock.get().wall));
    let day = move || {
        today.track();
        format::day(at, view.clock.get_untracked().wall)
    };
    view! { <h2 class="day"><span>{day}</span></h2> }
}

#[component]
fn Missed() -> impl IntoView {
    const WORDS: &str = "New while you were away";
    view! { <div class="missed" role="separator" aria-label=WORDS><span>{WORDS}</span></div> }
}

/// Leads back to the newest events.
#[component]
fn Jump(scroll: Scroll) -> impl IntoView {
    let view = use_view();
    let unread = move || match view.open.unread.get() {
        0 => None,
        count => Some(
            view! { <span class="room-badge">{count}</span> <span class="sr-only">"new"</span> },
        ),
    };
    view! {
        <Show when=move || scroll.away()>
            <button class="jump pill" type="button" on:click=move |_| scroll.to_newest()>
                <Icon glyph=Glyph::Down />
                "Jump to latest"
                {unread}
            </button>
        </Show>
    }
}

/// Leads to the first of what was missed, where that is more than a screen.
#[component]
fn JumpUp(scroll: Scroll) -> impl IntoView {
    view! {
        <Show when=move || scroll.missed_above()>
            <button class="jump jump-up pill" type="button" on:click=move |_| scroll.to_missed()>
                <Icon glyph=Glyph::Up />
                "Jump to what you missed"
            </button>
        </Show>
    }
}

/// What is on the screen counts as read when its reader comes back to the page.
fn attend(scroll: Scroll) {
    let focus = window_event_listener(ev::focus, move |_| scroll.settle());
    let blur = window_event_listener(ev::blur, move |_| scroll.settle());
    // It bubbles from the document to the window.
    let seen = window_event_listener(ev::visibilitychange, move |_| scroll.settle());
    on_cleanup(move || {
        focus.remove();
        blur.remove();
        seen.remove();
    });
}

/// The arrows lead from entry to entry.
fn rove(event: ev::KeyboardEvent) {
    let back = match event.key().as_str() {
        "ArrowUp" => true,
        "ArrowDown" => false,
        _ => return,
    };
    if scroll::rove(back) {
        event.prevent_default();
    }
}
