//! What must reach the server, however long it takes.

use super::*;

#[test]
fn a_job_that_is_done_while_offline_is_said_to_be_done_once_there_is_a_connection() {
    let mut page = Page::new();
    page.connect();
    page.take();
    page.cut();
    assert!(page.wish(Wish::Done(id(1))).is_empty());
    assert_eq!(page.card(1).wait, Some(Wait::Done));
    assert_eq!(page.machine.waiting(), 1);
    let said = page.connect();
    let [WorkClient::Complete(complete)] = &said[..] else { panic!("{said:?}") };
    assert_eq!(complete.token, TOKEN);
    // The answer is lost with the connection: the same is said again.
    page.cut();
    let said = page.connect();
    let [WorkClient::Complete(complete)] = &said[..] else { panic!("{said:?}") };
    let req = complete.req;
    page.moved(&job(1, "leased", 1, ""));
    page.hear(&format!(r#"{{"did":{{"req":{req},"state":"done","again":true}}}}"#));
    assert_eq!(page.column(Column::Done), ["Job 1"]);
    assert_eq!(page.machine.waiting(), 0);
    assert!(page.kept.is_empty());
}

#[test]
fn what_is_said_too_late_is_told_and_kept_no_longer() {
    for (reason, words) in [
        ("expired", "Your time ran out."),
        ("old", "Someone else has it now."),
        ("cancelled", "Nobody wants it any more."),
    ] {
        let mut page = Page::new();
        page.connect();
        page.take();
        let sent = page.wish(Wish::Back(id(1)));
        let [WorkClient::Snooze(snooze)] = &sent[..] else { panic!("{sent:?}") };
        page.refuse(snooze.req, &format!(r#""code":"fenced","reason":"{reason}""#));
        assert_eq!(page.card(1).said.as_deref(), Some(words));
        assert!(!page.card(1).mine && page.kept.is_empty());
    }
}

#[test]
fn a_new_task_waits_with_its_id_and_appears_once() {
    let mut page = Page::new();
    page.connect();
    page.cut();
    page.add(9, "Call Bo");
    assert_eq!(page.column(Column::Ready), ["Call Bo", "Job 1", "Job 2"]);
    assert_eq!(page.card(9).wait, Some(Wait::Add));
    let said = page.connect();
    assert!(matches!(&said[..], [WorkClient::Enqueue(it)] if it.id == id(9) && it.kind == "task"));
    page.cut();
    let said = page.connect();
    let [WorkClient::Enqueue(enqueue)] = &said[..] else { panic!("{said:?}") };
    let (req, job) = (enqueue.req, id(9));
    page.hear(&format!(r#"{{"enqueued":{{"req":{req},"id":"{job}"}}}}"#));
    assert_eq!(page.column(Column::Ready), ["Job 1", "Job 2", "Call Bo"]);
    assert_eq!(page.card(9).wait, None);
    assert!(page.kept.is_empty());
}

#[test]
fn a_new_task_has_as_many_attempts_as_its_queue_gives_where_that_is_known() {
    let mut page = Page::new();
    page.add(8, "Call Ado");
    assert_eq!(page.card(8).attempts, (0, 5), "as a queue gives of which nothing is set");
    page.connect();
    let queue = queue(2, 0).replace(r#""settings":{"#, r#""settings":{"max_attempts":3"#);
    page.hear(&format!(r#"{{"moved":{{"sub":1,"queue":{queue},"jobs":[]}}}}"#));
    let sent = page.add(9, "Call Bo");
    assert_eq!(page.card(9).attempts, (0, 3));
    let [WorkClient::Enqueue(enqueue)] = &sent[..] else { panic!("{sent:?}") };
    let (req, job) = (enqueue.req, id(9));
    page.hear(&format!(r#"{{"enqueued":{{"req":{req},"id":"{job}"}}}}"#));
    assert_eq!((page.card(9).wait, page.card(9).attempts), (None, (0, 3)));
}

#[test]
fn what_the_server_could_not_do_now_is_asked_for_again() {
    let mut page = Page::new();
    page.connect();
    let sent = page.add(9, "Call Bo");
    let [WorkClient::Enqueue(enqueue)] = &sent[..] else { panic!("{sent:?}") };
    page.refuse(enqueue.req, r#""code":"queue_full""#);
    assert_eq!(page.card(9).wait, Some(Wait::Add));
    assert!(matches!(page.later(1_000)[..], [WorkClient::Enqueue(_)]));
}

#[test]
fn a_task_that_is_not_accepted_stays_to_be_read_until_it_is_given_up() {
    let mut page = Page::new();
    page.connect();
    let sent = page.add(9, "Call Bo");
    let [WorkClient::Enqueue(enqueue)] = &sent[..] else { panic!("{sent:?}") };
    page.refuse(enqueue.req, r#""code":"too_large""#);
    assert!(page.card(9).refused);
    assert_eq!(page.card(9).said.as_deref(), Some("So it is."));
    assert_eq!(page.machine.waiting(), 0);
    page.wish(Wish::Dismiss(id(9)));
    assert!(page.machine.card(id(9)).is_none() && page.kept.is_empty());
}

#[test]
fn a_page_that_is_loaded_anew_goes_on_with_what_was_kept() {
    let mut page = Page::new();
    page.connect();
    page.take();
    page.cut();
    page.add(9, "Call Bo");
    let mut kept = Words::default();
    for (shelf, job, text) in &page.kept {
        match shelf {
            Shelf::Tab => drop(kept.held.insert(*job, serde_json::from_str(text).unwrap())),
            Shelf::Browser => drop(kept.words.insert(*job, serde_json::from_str(text).unwrap())),
        }
    }
    let mut page = Page::with(kept);
    let said = page.connect();
    assert!(
        matches!(&said[..], [WorkClient::Enqueue(_), WorkClient::Extend(it)] if it.token == TOKEN),
        "{said:?}"
    );
    page.moved(&job(1, "leased", 1, r#","consumer":"Ada""#));
    assert!(page.card(1).mine);
}

#[test]
fn what_was_said_of_a_new_task_is_shown_and_sent_also_by_the_next_page() {
    let mut page = Page::new();
    page.connect();
    page.cut();
    let delay_ms = Some(Millis(300_000));
    let terms = Terms {
        priority: 7,
        delay_ms,
        group: Some("ward-7".into()),
        max_attempts: Some(2),
        backoff_ms: Some(Millis(9_000)),
        expires_ms: Some(Millis(600_000)),
    };
    page.wish(Wish::Add(vec![(id(9), task("Call Bo"))], terms));
    assert_eq!((page.card(9).place, page.card(9).priority), (Place::Delayed, 7));
    let (_, _, kept) = &page.kept[0];
    let mut words = Words::default();
    words.words.insert(id(9), serde_json::from_str(kept).unwrap());
    let mut page = Page::with(words);
    let said = page.connect();
    let [WorkClient::Enqueue(enqueue)] = &said[..] else { panic!("{said:?}") };
    assert_eq!((enqueue.priority, enqueue.delay_ms), (Some(7), delay_ms));
    assert_eq!((enqueue.group.as_deref(), enqueue.max_attempts), (Some("ward-7"), Some(2)));
    let times = (enqueue.backoff_ms, enqueue.expires_ms);
    assert_eq!(times, (Some(Millis(9_000)), Some(Millis(600_000))));
    let (req, job) = (enqueue.req, id(9));
    page.hear(&format!(r#"{{"enqueued":{{"req":{req},"id":"{job}"}}}}"#));
    let card = page.card(9);
    assert_eq!((card.place, card.group.as_deref()), (Place::Delayed, Some("ward-7")));
    assert_eq!(card.due.map(|due| due - card.made), Some(300_000));
}

#[test]
fn a_task_that_an_older_page_has_kept_is_still_added() {
    let kept = r#"{"add":{"ns":"work","queue":"inbox","task":{"title":"Call Bo","body":""}"#;
    let terms = r#","terms":{"priority":7,"delay_ms":null,"group":null}"#;
    for (terms, priority) in [("", 0), (terms, 7)] {
        let mut words = Words::default();
        let kept = format!("{kept}{terms}}}}}");
        words.words.insert(id(9), serde_json::from_str(&kept).unwrap());
        let said = Page::with(words).connect();
        let [WorkClient::Enqueue(enqueue)] = &said[..] else { panic!("{said:?}") };
        assert_eq!((enqueue.priority, enqueue.delay_ms), (Some(priority), None));
    }
}
