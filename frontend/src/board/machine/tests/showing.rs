//! What a board shows of its queue.

use super::*;
use crate::board::store::POINTS;

#[test]
fn a_board_is_shown_in_the_order_in_which_jobs_begin_and_follows_what_moves() {
    let mut page = Page::new();
    page.connect();
    assert_eq!(page.column(Column::Ready), ["Job 1", "Job 2"]);
    page.moved(&job(1, "leased", 1, r#","consumer":"Bo","due_in_ms":30000"#));
    assert_eq!(page.column(Column::Ready), ["Job 2"]);
    assert_eq!(page.column(Column::Taken), ["Job 1"]);
    assert_eq!(page.card(1).holder.as_deref(), Some("Bo"));
    assert!(!page.card(1).mine);
    let (queue, gone) = (queue(1, 0), id(1));
    page.hear(&format!(r#"{{"moved":{{"sub":1,"queue":{queue},"jobs":[],"gone":["{gone}"]}}}}"#));
    assert_eq!(page.column(Column::Taken), [""; 0]);
}

#[test]
fn a_job_at_a_place_of_a_newer_server_is_not_on_the_board_until_it_comes_to_one_that_is_known() {
    let mut page = Page::new();
    page.connect();
    let (queue, kept, parked) = (queue(2, 0), job(2, "ready", 0, ""), job(3, "parked", 0, ""));
    page.hear(&format!(
        r#"{{"board":{{"sub":1,"queue":{queue},"places":[{{"place":"parked","jobs":[{parked}],"after":"0.0.3"}},{{"place":"ready","jobs":[{kept},{parked}]}}]}}}}"#
    ));
    assert_eq!(page.column(Column::Ready), ["Job 2"]);
    page.moved(&format!("{},{}", job(2, "parked", 0, ""), job(1, "ready", 0, "")));
    assert_eq!(page.column(Column::Ready), ["Job 1"]);
    assert!(page.machine.card(id(2)).is_none());
    page.moved(&job(2, "leased", 1, ""));
    assert_eq!(page.column(Column::Taken), ["Job 2"]);
    assert_eq!(page.machine.link(), Link::Online);
}

#[test]
fn jobs_stand_in_the_order_of_their_enqueues_whatever_their_ages_were_on_the_way() {
    let mut page = Page::new();
    page.connect();
    for place in ["ready", "behind", "leased"] {
        let told = |n, seq| job(n, place, 0, &format!(r#","seq":{seq}"#));
        page.moved(&format!("{},{},{}", told(1, 9), told(2, 8), told(3, 7)));
        let column = if place == "leased" { Column::Taken } else { Column::Ready };
        assert_eq!(page.column(column), ["Job 3", "Job 2", "Job 1"], "{place}");
    }
}

#[test]
fn of_many_jobs_fifty_are_shown_and_more_are_asked_for() {
    let mut page = Page::new();
    page.connect();
    let jobs: Vec<_> = (1..=50).map(|n| job(n, "ready", 0, "")).collect();
    let (queue, jobs) = (queue(60, 0), jobs.join(","));
    page.hear(&format!(
        r#"{{"board":{{"sub":1,"queue":{queue},"places":[{{"place":"ready","jobs":[{jobs}],"after":"0.0.50"}}]}}}}"#
    ));
    assert_eq!(page.column(Column::Ready).len(), 50);
    assert!(page.machine.store.has_more(Column::Ready));
    let sent = page.wish(Wish::More(Column::Ready));
    let [WorkClient::More(more)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((more.place, more.after.as_deref()), (Place::Ready, Some("0.0.50")));
    let jobs: Vec<_> = (51..=60).map(|n| job(n, "ready", 0, "")).collect();
    let (req, jobs) = (more.req, jobs.join(","));
    page.hear(&format!(
        r#"{{"page":{{"req":{req},"sub":1,"place":{{"place":"ready","jobs":[{jobs}]}}}}}}"#
    ));
    assert_eq!(page.column(Column::Ready).len(), 60);
    assert!(!page.machine.store.has_more(Column::Ready));
}

#[test]
fn figures_are_told_with_the_oldest_jobs_age_and_are_kept_for_a_while() {
    let mut page = Page::new();
    page.connect();
    let figures = |done: u64, oldest: &str| {
        format!(
            r#"{{"figures":{{"sub":1,"figures":{{"enqueued":0,"started":0,"done":{done},"failed":0,"dead":0}}{oldest}}}}}"#
        )
    };
    let now = i64::try_from(page.now.0).unwrap();
    assert_eq!(page.machine.store.oldest(), Some(now - 250), "as the board said");
    // One that this page does not show is older than all that it does.
    page.hear(&figures(1, r#","oldest_ms":90000"#));
    assert_eq!(page.machine.store.oldest(), Some(now - 90_000));
    let point = *page.machine.store.points.back().unwrap();
    assert_eq!((point.ready, point.leased, point.oldest, point.done), (2, 0, 90_000, 1));
    page.moved(&job(1, "leased", 1, ""));
    page.hear(&figures(2, ""));
    assert_eq!(page.machine.store.oldest(), None);
    let point = *page.machine.store.points.back().unwrap();
    assert_eq!((point.leased, point.oldest), (1, 0));
    for done in 0..=POINTS as u64 {
        page.hear(&figures(done, ""));
    }
    let points = &page.machine.store.points;
    assert_eq!((points.len(), points.front().unwrap().done), (POINTS, 1));
}

#[test]
fn nothing_is_old_once_nothing_could_begin() {
    let mut page = Page::new();
    page.connect();
    assert!(page.machine.store.oldest().is_some());
    let queue = queue(0, 2);
    page.hear(&format!(r#"{{"moved":{{"sub":1,"queue":{queue},"jobs":[]}}}}"#));
    assert_eq!(page.machine.store.oldest(), None, "before the next figures");
}
