//! Dead letters, and what is decided about the queue.

use super::*;

#[test]
fn a_decision_whose_answer_is_lost_is_not_made_twice() {
    let mut page = Page::new();
    page.connect();
    let sent = page.wish(Wish::Pause(true));
    assert!(matches!(sent[..], [WorkClient::Govern(_)]));
    assert!(page.wish(Wish::Pause(true)).is_empty());
    page.cut();
    assert!(page.machine.notice.is_some());
    assert!(page.connect().is_empty());
    assert!(!page.machine.governing(&[]));
}

#[test]
fn dead_letters_are_looked_through_here_and_by_the_server() {
    let mut page = Page::new();
    page.connect();
    page.moved(&job(3, "dead", 5, r#","error":"The line is BUSY""#));
    page.moved(&job(4, "dead", 5, r#","error":"No such number""#));
    assert_eq!(page.column(Column::Dead), ["Job 4", "Job 3"], "the newest above");
    let like = Like { kind: None, error: Some("busy".into()) };
    let sent = page.wish(Wish::Filter(like));
    assert_eq!(page.column(Column::Dead), ["Job 3"]);
    let [WorkClient::More(more)] = &sent[..] else { panic!("{sent:?}") };
    let (req, job) = (more.req, job(5, "dead", 5, r#","error":"so long that it is cut""#));
    page.hear(&format!(
        r#"{{"page":{{"req":{req},"sub":1,"place":{{"place":"dead","jobs":[{job}]}}}}}}"#
    ));
    assert_eq!(page.column(Column::Dead).len(), 2, "the server has read all of it");
}
