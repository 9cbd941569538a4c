//! A new task.

use super::use_board;
use crate::{
    board::{Wish, machine::Terms},
    browser,
    components::{Glyph, Icon, flag, press},
    link::BoardLink,
};
use holdfast_common::{time::Millis, work::Task};
use leptos::{ev::SubmitEvent, prelude::*};

/// Where a person adds a task.
#[component]
pub fn NewTask() -> impl IntoView {
    let board = use_board();
    let fields = [(); 5].map(|()| RwSignal::new(String::new()));
    let [title, body, priority, delay, group] = fields;
    let unfit = flag(move || title.with(|title| title.trim().is_empty()));
    let add: Box<dyn FnMut(SubmitEvent)> = Box::new(move |event| {
        event.prevent_default();
        if unfit.get_untracked() {
            return;
        }
        let text = |field: RwSignal<String>| field.with_untracked(|text| text.trim().to_owned());
        let minutes = u64::from(number(delay).unsigned_abs());
        let terms = Terms {
            priority: i8::try_from(number(priority)).unwrap_or(0),
            delay_ms: Some(Millis(minutes * 60_000)).filter(|delay| delay.0 > 0),
            group: Some(text(group)).filter(|group| !group.is_empty()),
        };
        let task = Task { title: text(title), body: text(body) };
        for field in fields {
            field.set(String::new());
        }
        board.wish(Wish::Add(BoardLink::new_id(), task, terms));
        browser::focus("#task-title");
    });
    view! {
        <form class="task" aria-label="New task" on:submit=add>
            <input
                id="task-title"
                class="task-title"
                type="text"
                autocomplete="off"
                dir="auto"
                aria-label="Title"
                placeholder="New task"
                bind:value=title
            />
            <textarea
                class="task-body"
                rows="1"
                dir="auto"
                aria-label="Details"
                placeholder="Details"
                bind:value=body
            ></textarea>
            <details class="task-more">
                <summary>"More"</summary>
                <div class="task-terms">
                    {term("Priority", "number", ["-100", "100", ""], priority)}
                    {term("Begin in (min)", "number", ["0", "525600", ""], delay)}
                    {term("Group", "text", ["", "", "128"], group)}
                </div>
            </details>
            <button class="btn btn-primary btn-sm" type="submit" disabled=unfit on:click=press(reveal)>
                <Icon glyph=Glyph::Plus />
                "Add"
            </button>
        </form>
    }
    .into_any()
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
