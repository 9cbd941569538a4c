//! The connection's life.

use super::*;

#[test]
fn a_silent_server_is_given_up_and_tried_again() {
    let mut page = Page::new();
    page.connect();
    assert!(matches!(page.later(10_000)[..], [WorkClient::Ping(_)]));
    page.later(15_000);
    assert!(matches!(page.machine.link(), Link::Offline { .. }));
    page.later(30_000);
    assert!(matches!(page.machine.link(), Link::Connecting { .. }));
}

#[test]
fn a_close_that_is_final_is_shown_and_not_tried_again() {
    let mut page = Page::new();
    page.connect();
    let number = holdfast_common::error::Code::WrongSecret.close_number().unwrap();
    page.feed(Input::Closed(number));
    assert!(matches!(page.machine.link(), Link::Blocked { why: Some(_) }));
    assert_eq!(page.machine.deadline(), None);
}

#[test]
fn a_frame_of_a_newer_server_is_passed_over_and_a_broken_one_ends_the_connection() {
    let mut page = Page::new();
    page.connect();
    page.hear(r#"{"weather":{"rain":true}}"#);
    assert_eq!(page.machine.link(), Link::Online);
    page.hear("{");
    assert!(matches!(page.machine.link(), Link::Offline { .. }));
}
