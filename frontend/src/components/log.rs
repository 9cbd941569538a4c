//! The open room's log.

mod hole;
mod scroll;

use super::{
    EntryView, Glyph, Icon,
    pieces::{self, fresh, press, text, unseen, when},
};
use crate::{
    address::use_address,
    browser, format,
    store::RowKey,
    view::{RowHandle, View, use_view},
};
use holdfast_common::time::Timestamp;
use hole::hole;
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
    let address = use_address();
    Effect::new(move |before: Option<u64>| {
        let ends = view.open.ends.get();
        if before.is_some_and(|before| before != ends) {
            address.leave_place();
            scroll.changed();
        }
        ends
    });
    attend(scroll);
    let scrolled: Box<dyn FnMut(ev::Event)> = Box::new(move |_| scroll.scrolled());
    let pressed: Box<dyn FnMut(ev::KeyboardEvent)> = Box::new(rove);
    let label = text(move || format!("Messages in {}", name.get()));
    let busy = text(move || view.open.asking.get().to_string());
    let list = Owner::current().unwrap_or_default();
    let row = move |handle| pieces::row(&list, move || row(handle));
    view! {
        <div class="log-frame">
            <div class="log-scroll" node_ref=frame on:scroll=scrolled on:keydown=pressed>
                <div class="log" role="log" aria-label=label aria-busy=busy>
                    <For each=move || view.open.rows.get() key=RowHandle::key children=row />
                </div>
            </div>
            {when(move || scroll.missed_above(), move || jump_up(scroll))}
            {when(move || scroll.away(), move || jump(view, scroll))}
        </div>
    }
    .into_any()
}

fn row(row: RowHandle) -> AnyView {
    match row {
        RowHandle::Day(at, _) => day(at),
        RowHandle::Missed => missed(),
        RowHandle::Hole(_, row) => hole(RwSignal::from(row)),
        RowHandle::Entry(_, entry) => {
            view! { <EntryView entry=RwSignal::from(entry) /> }.into_any()
        }
    }
}

fn day(at: Timestamp) -> AnyView {
    let view = use_view();
    // Told anew at midnight, with the clock.
    let today = Memo::new(move |_| browser::day_of(view.time()));
    let day = fresh(move || format::day(at, today.get()).into_any());
    view! { <h2 class="day"><span>{day}</span></h2> }.into_any()
}

fn missed() -> AnyView {
    const WORDS: &str = "New while you were away";
    view! { <div class="missed" role="separator" aria-label=WORDS><span>{WORDS}</span></div> }
        .into_any()
}

/// Leads back to the newest events.
fn jump(view: View, scroll: Scroll) -> AnyView {
    let unread = move || view.open.unread.get();
    let count = move || {
        let count = text(move || unread().to_string());
        view! {
            <span class="room-badge">{count}</span>
            {unseen(" new")}
        }
        .into_any()
    };
    let newest = press(move || scroll.to_newest());
    view! {
        <button class="jump pill" type="button" on:click=newest>
            <Icon glyph=Glyph::Down />
            "Jump to latest"
            {when(move || unread() != 0, count)}
        </button>
    }
    .into_any()
}

/// Leads to the first of what was missed, where that is more than a screen.
fn jump_up(scroll: Scroll) -> AnyView {
    let missed = press(move || scroll.to_missed());
    view! {
        <button class="jump jump-up pill" type="button" on:click=missed>
            <Icon glyph=Glyph::Up />
            "Jump to what you missed"
        </button>
    }
    .into_any()
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
