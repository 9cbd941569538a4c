//! Holdfast's page of queues.

use holdfast_frontend::board::view::BoardApp;

fn main() {
    // A panic ends the page's code: at least it says where, and not only "unreachable".
    std::panic::set_hook(Box::new(|panic| leptos::logging::error!("{panic}")));
    leptos::mount::mount_to_body(BoardApp);
}
