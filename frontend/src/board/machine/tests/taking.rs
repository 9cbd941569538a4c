//! Jobs that are taken, held and lost.

use super::*;

#[test]
fn a_take_waits_for_its_answer_and_its_token_is_kept_with_the_tab() {
    let mut page = Page::new();
    page.connect();
    let sent = page.wish(Wish::Take(id(1)));
    assert_eq!(page.card(1).wait, Some(Wait::Take));
    assert!(page.wish(Wish::Take(id(1))).is_empty(), "a second press asks for nothing more");
    let [WorkClient::Take(take)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(take.lease_ms, Some(LEASE));
    let (req, job) = (take.req, id(1));
    page.hear(&format!(
        r#"{{"leased":{{"req":{req},"job":{{"id":"{job}","token":"{TOKEN}","fence":42,"attempt":1,"type":"task","data":{{}},"lease_ms":60000,"expires_at":1}}}}}}"#
    ));
    let card = page.card(1);
    assert!(card.mine && card.wait.is_none());
    assert_eq!(card.place, Place::Leased);
    assert!(
        matches!(&page.kept[..], [(Shelf::Tab, kept, text)] if *kept == job && text.contains(TOKEN))
    );
    assert_eq!(page.said, ["Job 1: It is yours now."]);
}

#[test]
fn who_comes_second_is_told_that_someone_else_has_it() {
    let mut page = Page::new();
    page.connect();
    let sent = page.wish(Wish::Take(id(1)));
    let [WorkClient::Take(take)] = &sent[..] else { panic!("{sent:?}") };
    page.refuse(take.req, r#""code":"wrong_state","state":"leased""#);
    let card = page.card(1);
    assert!(!card.mine && card.wait.is_none());
    assert_eq!(card.said.as_deref(), Some("Someone else has it now."));
    assert_eq!(page.said, ["Job 1: Someone else has it now."]);
}

#[test]
fn a_read_from_before_the_take_does_not_move_the_card_back() {
    let mut page = Page::new();
    page.connect();
    page.take();
    page.moved(&job(1, "ready", 0, ""));
    assert!(page.card(1).mine);
    page.moved(&job(1, "ready", 1, ""));
    assert_eq!(page.card(1).place, Place::Ready, "this is of a later moment");
}

#[test]
fn a_lease_is_made_longer_at_a_third_until_it_is_lost() {
    let mut page = Page::new();
    page.connect();
    page.take();
    assert!(page.later(10_000).iter().all(|it| !matches!(it, WorkClient::Extend(_))));
    page.hear(r#"{"pong":{"n":1}}"#);
    let sent = page.later(10_000);
    let extend = sent.iter().find_map(|it| match it {
        WorkClient::Extend(extend) => Some(extend.clone()),
        _ => None,
    });
    let extend = extend.expect("a third is over");
    assert_eq!((extend.token.as_str(), extend.lease_ms), (TOKEN, Some(LEASE)));
    page.refuse(extend.req, r#""code":"fenced","reason":"expired""#);
    assert!(!page.card(1).mine);
    assert_eq!(page.card(1).said.as_deref(), Some("Your time ran out."));
    assert!(page.kept.is_empty());
}

#[test]
fn a_loss_that_the_server_tells_of_ends_what_this_page_holds() {
    let mut page = Page::new();
    page.connect();
    page.take();
    let job = id(1);
    let lost =
        |fence: u64| format!(r#"{{"lost":{{"job":"{job}","fence":{fence},"reason":"expired"}}}}"#);
    page.hear(&lost(41));
    assert!(page.card(1).mine, "that was an earlier lease");
    page.hear(&lost(42));
    assert!(!page.card(1).mine);
    assert_eq!(page.card(1).said.as_deref(), Some("Your time ran out."));
}

#[test]
fn a_loss_for_a_reason_of_a_newer_server_is_a_loss() {
    let mut page = Page::new();
    page.connect();
    page.take();
    let job = id(1);
    page.hear(&format!(r#"{{"lost":{{"job":"{job}","fence":42,"reason":"eclipsed"}}}}"#));
    assert_eq!(page.machine.link(), Link::Online);
    assert!(!page.card(1).mine && page.kept.is_empty());
    assert_eq!(page.card(1).said.as_deref(), Some("Someone else has it now."));
    page.take();
    let sent = page.wish(Wish::Done(id(1)));
    let [WorkClient::Complete(complete)] = &sent[..] else { panic!("{sent:?}") };
    page.refuse(complete.req, r#""code":"fenced","reason":"eclipsed""#);
    assert!(!page.card(1).mine && page.kept.is_empty());
    assert_eq!(page.card(1).said.as_deref(), Some("Someone else has it now."));
}
