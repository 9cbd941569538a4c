//! A part of the page that may fail without the rest.

use super::pieces::link;
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
                {link("Load the page again", browser::reload)}
            </p>
        }
        .into_any()
    };
    view! { <ErrorBoundary fallback=failed>{children()}</ErrorBoundary> }.into_any()
}
