//! A new task.

use super::use_board;
use crate::{
    board::{Wish, machine::Terms},
    browser,
    components::{Glyph, Icon, flag, press, text},
    link::BoardLink,
};
use holdfast_common::{time::Millis, work::Task};
use leptos::{
    ev::{KeyboardEvent, SubmitEvent},
    prelude::*,
};

/// Tasks that are added at once, at most: each is kept in the browser until it is stored, and what that
/// keeps is a few MB.
const AT_ONCE: usize = 100;

/// Where a person adds a task, or several: one for each line of the title.
#[component]
pub fn NewTask() -> impl IntoView {
    let board = use_board();
    let fields = [(); 8].map(|()| RwSignal::new(String::new()));
    let [title, body, terms @ ..] = fields;
    let count = move || title.with(|title| titles(title).count());
    let unfit = flag(move || !(1..=AT_ONCE).contains(&count()));
    let add: Box<dyn FnMut(SubmitEvent)> = Box::new(move |event| {
        event.prevent_default();
        if unfit.get_untracked() {
            return;
        }
        let (titles, body) = (title.get_untracked(), body.get_untracked());
        let terms = said(terms);
        for field in fields {
            field.set(String::new());
        }
        let task = |title: &str| {
            let task = Task { title: title.to_owned(), body: body.trim().to_owned() };
            (BoardLink::new_id(), task)
        };
        board.wish(Wish::Add(self::titles(&titles).map(task).collect(), terms));
        browser::focus("#task-title");
    });
    let label = move || match count() {
        0 | 1 => "Add".to_owned(),
        count if count <= AT_ONCE => format!("Add {count}"),
        _ => format!("At most {AT_ONCE}"),
    };
    view! {
        <form class="task" aria-label="New task" on:submit=add>
            <textarea
                id="task-title"
                class="task-title"
                rows="1"
                autocomplete="off"
                dir="auto"
                aria-label="Title"
                aria-describedby="task-lines"
                placeholder="New task"
                bind:value=title
                on:keydown=add_by_enter
            ></textarea>
            <textarea
                class="task-body"
                rows="1"
                dir="auto"
                aria-label="Details"
                placeholder="Details"
                bind:value=body
            ></textarea>
            {more(terms)}
            <p id="task-lines" class="task-lines">
                <kbd>"Shift Enter"</kbd>
                " for another"
            </p>
            <button
                id="task-add"
                class="btn btn-primary btn-sm"
                type="submit"
                disabled=unfit
                on:click=press(reveal)
            >
                <Icon glyph=Glyph::Plus />
                {text(label)}
            </button>
        </form>
    }
    .into_any()
}

/// On a touch screen no other key begins a line.
fn add_by_enter(event: KeyboardEvent) {
    if browser::is_enter(&event) && browser::has_pointer() {
        event.prevent_default();
        browser::click("#task-add");
    }
}

/// The terms' fields, in this order: priority, delay, attempts, backoff, expiry, group.
type TermFields = [RwSignal<String>; 6];

/// What most tasks do not need.
fn more([priority, delay, attempts, backoff, expiry, group]: TermFields) -> AnyView {
    view! {
        <details class="task-more">
            <summary>"More"</summary>
            <div class="task-terms">
                {term("Priority", "number", ["-100", "100", ""], priority)}
                {term("Begin in (min)", "number", ["0", "525600", ""], delay)}
                {term("Attempts", "number", ["1", "100", ""], attempts)}
                {term("Retry after (s)", "number", ["1", "86400", ""], backoff)}
                {term("Expires in (min)", "number", ["1", "525600", ""], expiry)}
                {term("Group", "text", ["", "", "128"], group)}
            </div>
        </details>
    }
    .into_any()
}

fn said([priority, delay, attempts, backoff, expiry, group]: TermFields) -> Terms {
    let group = group.get_untracked().trim().to_owned();
    Terms {
        priority: i8::try_from(number(priority)).unwrap_or(0),
        delay_ms: time(delay, 60_000),
        group: Some(group).filter(|group| !group.is_empty()),
        max_attempts: Some(number(attempts).unsigned_abs()).filter(|most| *most > 0),
        backoff_ms: time(backoff, 1_000),
        expires_ms: time(expiry, 60_000),
    }
}

/// The lines that say something.
fn titles(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// The time in a field of this unit; none where nothing stands there.
fn time(field: RwSignal<String>, unit_ms: u64) -> Option<Millis> {
    let time = u64::from(number(field).unsigned_abs()) * unit_ms;
    Some(Millis(time)).filter(|time| time.0 > 0)
}

/// The number in a field, 0 where nothing stands there. The browser sends no form in which one is not
/// whole or out of its bounds, and says why; it knows other ways to write a number than Rust does.
#[allow(clippy::cast_possible_truncation)] // What is none becomes 0, and its bounds are far within.
fn number(field: RwSignal<String>) -> i32 {
    field.with_untracked(|text| js_sys::parse_float(text)) as i32
}

/// Shows the fields of which the browser has something to say: of one that is not seen it says nothing.
fn reveal() {
    if let Ok(Some(more)) = document().query_selector(".task-more:has(:invalid)") {
        // Setting an attribute of this name cannot fail.
        let _ = more.set_attribute("open", "");
    }
}

/// A field that most tasks do not need. Its bounds are the least, the most, and the most letters.
fn term(
    name: &'static str,
    kind: &'static str,
    [min, max, letters]: [&'static str; 3],
    value: RwSignal<String>,
) -> AnyView {
    view! {
        <label class="task-term">
            {name}
            <input
                class="search-field"
                type=kind
                min=min
                max=max
                maxlength=letters
                autocomplete="off"
                bind:value=value
            />
        </label>
    }
    .into_any()
}

/// The way on from where nothing is.
pub(super) fn to_queues() -> AnyView {
    view! { <a class="btn btn-primary btn-sm" href="/queues">"See the queues"</a> }.into_any()
}
