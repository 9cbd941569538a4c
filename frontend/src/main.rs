//! Holdfast's page.

use holdfast_frontend::app::App;

fn main() {
    leptos::mount::mount_to_body(App);
}
