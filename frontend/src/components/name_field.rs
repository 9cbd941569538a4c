//! A field for a name, of a person or of a room.

use leptos::prelude::*;

/// A field with its label, and a sentence under it.
#[component]
pub fn NameField(
    /// What is asked for.
    label: &'static str,
    /// The text.
    value: RwSignal<String>,
    /// What helps with it, or what is wrong with it.
    hint: Signal<String>,
    /// Whether something is wrong with it.
    wrong: Signal<bool>,
    /// What the browser may offer.
    autocomplete: &'static str,
) -> impl IntoView {
    let invalid = Signal::derive(move || wrong.get().to_string());
    view! {
        <label class="field">
            <span class="field-label">{label}</span>
            <input
                class="input w-full"
                type="text"
                autocomplete=autocomplete
                autofocus
                dir="auto"
                aria-describedby="name-hint"
                aria-invalid=invalid
                bind:value=value
            />
        </label>
        <p id="name-hint" class="field-hint" class:field-wrong=wrong>
            {hint}
        </p>
    }
    .into_any()
}
