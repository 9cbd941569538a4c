//! A question in front of the page. The browser keeps the focus in it and gives it back.

use super::pieces::{press, when};
use crate::browser;
use leptos::{
    ev::{Event, SubmitEvent},
    html,
    prelude::*,
};

/// A question that is answered with a name.
#[component]
pub fn NameDialog(
    /// Whether it is asked. Closing it by the keyboard resets it.
    open: RwSignal<bool>,
    /// What is asked.
    title: &'static str,
    /// The form, made anew each time.
    form: fn(RwSignal<bool>) -> AnyView,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if !open.get() {
            dialog.close();
        } else if !dialog.open() {
            // Only a dialog that is not on the page cannot be shown.
            let _ = dialog.show_modal();
            // What it asks is rendered by then.
            request_animation_frame(|| browser::focus("dialog[open] input"));
        }
    });
    let closed: Box<dyn FnMut(Event)> = Box::new(move |_| open.set(false));
    view! {
        <dialog class="modal" node_ref=dialog aria-label=title on:close=closed>
            <div class="modal-box dialog">
                <h2 class="dialog-title">{title}</h2>
                {when(move || open.get(), move || form(open))}
            </div>
            <form method="dialog" class="modal-backdrop">
                <button tabindex="-1" aria-hidden="true">"Close"</button>
            </form>
        </dialog>
    }
    .into_any()
}

/// A form in a dialog with its two buttons.
pub fn dialog_form(
    open: RwSignal<bool>,
    field: AnyView,
    word: &'static str,
    unfit: Signal<bool>,
    done: impl Fn() + 'static,
) -> AnyView {
    let cancel = press(move || open.set(false));
    let submit: Box<dyn FnMut(SubmitEvent)> = Box::new(move |event| {
        event.prevent_default();
        if !unfit.get_untracked() {
            open.set(false);
            done();
        }
    });
    view! {
        <form class="dialog-form" on:submit=submit>
            {field}
            <div class="dialog-buttons">
                <button class="btn btn-ghost" type="button" on:click=cancel>
                    "Cancel"
                </button>
                <button class="btn btn-primary" type="submit" disabled=unfit>
                    {word}
                </button>
            </div>
        </form>
    }
    .into_any()
}
