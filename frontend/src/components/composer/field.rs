//! The composer's field and its keys.

use super::Draft;
use crate::{browser, components::pieces::text, view::use_view};
use leptos::{ev, html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::HtmlTextAreaElement;

/// The field. It grows with its text.
pub(super) fn field(draft: Draft, name: Signal<String>) -> AnyView {
    let view = use_view();
    let field = NodeRef::<html::Textarea>::new();
    let press: Box<dyn FnMut(ev::KeyboardEvent)> = Box::new(move |event| {
        let key = event.key();
        if browser::is_enter(&event) {
            event.prevent_default();
            draft.send();
        } else if event.is_composing() {
            // These keys are the composition's own.
        } else if key == "Escape" && view.editing.with_untracked(Option::is_some) {
            event.prevent_default();
            draft.cancel();
        } else if key == "ArrowUp" && untrack(move || draft.text()).is_empty() {
            event.prevent_default();
            view.edit_last();
        }
    });
    Effect::new(move |_| {
        view.open.room.track();
        // On a touch screen the keyboard would cover what there is to read.
        if browser::has_pointer()
            && let Some(field) = field.get()
        {
            let _ = field.focus();
        }
    });
    // A phone may end the page without another word than the first; a reload says the second.
    let hidden = window_event_listener(ev::visibilitychange, move |_| view.close_draft());
    let leaving = window_event_listener(ev::pagehide, move |_| view.leave_draft());
    on_cleanup(move || {
        hidden.remove();
        leaving.remove();
        view.close_draft();
    });
    let input: Box<dyn FnMut(ev::Event)> = Box::new(move |event| {
        draft.set(event_target_value(&event));
    });
    let left: Box<dyn FnMut(ev::FocusEvent)> = Box::new(move |_| view.close_draft());
    view! {
        <label class="sr-only" for="message">"Message"</label>
        <textarea
            id="message"
            class="composer-field"
            node_ref=field
            rows="1"
            dir="auto"
            autocomplete="off"
            placeholder=text(move || format!("Write to #{}", name.get()))
            prop:value=text(move || draft.text())
            on:input=input
            on:keydown=press
            on:blur=left
        ></textarea>
    }
    .into_any()
}

/// Moves the keyboard's focus behind the text.
pub(super) fn focus_end() {
    let field = document().get_element_by_id("message");
    if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlTextAreaElement>().ok()) {
        let end = field.value().encode_utf16().count();
        let end = u32::try_from(end).unwrap_or(u32::MAX);
        let _ = field.focus();
        let _ = field.set_selection_range(end, end);
    }
}
