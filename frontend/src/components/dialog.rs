//! A question in front of the page. The browser keeps the focus in it and gives it back.

use crate::browser;
use leptos::{html, prelude::*};

/// A dialog, open while `open` is set.
#[component]
pub fn Dialog(
    /// Whether it is open. Closing it by the keyboard resets it.
    open: RwSignal<bool>,
    /// What it asks.
    title: &'static str,
    /// Its content, made anew each time it opens.
    children: ChildrenFn,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let id = format!("dialog-{}", title.replace(' ', "-").to_lowercase());
    let title_id = id.clone();
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
    view! {
        <dialog
            class="modal"
            node_ref=dialog
            aria-labelledby=id
            on:close=move |_| open.set(false)
        >
            <div class="modal-box dialog">
                <h2 class="dialog-title" id=title_id>{title}</h2>
                <Show when=move || open.get()>{children()}</Show>
            </div>
            <form method="dialog" class="modal-backdrop">
                <button tabindex="-1" aria-hidden="true">"Close"</button>
            </form>
        </dialog>
    }
}
