//! A part of the page that may fail without the rest.

use crate::browser;
use leptos::prelude::*;

/// Shows its children, or that they cannot be shown.
#[component]
pub fn Region(
    /// What it is, at the beginning of a sentence.
    what: &'static str,
    /// What it holds.
    children: Children,
) -> impl IntoView {
    let failed = move |_| {
        view! {
            <p class="region-failed" role="alert">
                {what}
                " could not be shown. "
                <button class="link" type="button" on:click=|_| browser::reload()>
                    "Load the page again"
                </button>
            </p>
        }
    };
    view! { <ErrorBoundary fallback=failed>{children()}</ErrorBoundary> }
}
