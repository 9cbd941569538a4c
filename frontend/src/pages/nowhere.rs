//! Addresses without a room.

use crate::components::{MenuButton, Status, to_lobby};
use leptos::prelude::*;

/// There is nothing at this address.
#[component]
pub fn Nowhere() -> impl IntoView {
    view! {
        <main class="room">
            <header class="room-head">
                <MenuButton />
                <h1 class="room-name">"Not found"</h1>
                <Status />
            </header>
            <div class="blank">
                <p class="blank-title">"There is nothing at this address."</p>
                {to_lobby()}
            </div>
        </main>
    }
    .into_any()
}
