use super::*;

fn watched(version: u64) -> Consumer {
    let mut consumer = ready();
    let out = frame(&mut consumer, r#"{"watch":{"req":1,"ns":"work","queue":"inbox"}}"#);
    assert!(matches!(&out[..], [Output::Follow(_), Output::Board { sub: 1, .. }]));
    let result = Ok(Some(board(version)));
    let out = consumer.handle(NOW, Input::Board { sub: 1, result });
    assert!(
        sent(&out)[0]
            .starts_with(r#"{"board":{"sub":1,"req":1,"queue":{"ns":"work","name":"inbox""#)
    );
    flushed(&mut consumer);
    consumer
}

fn later(consumer: &mut Consumer) -> Vec<Output> {
    let rest = consumer.deadline().unwrap();
    consumer.handle(rest, Input::Tick)
}

fn asked(out: &[Output]) -> Option<Vec<JobId>> {
    out.iter().find_map(|output| match output {
        Output::Jobs { sub: 1, ids } => Some(ids.clone()),
        _ => None,
    })
}

fn tell(consumer: &mut Consumer, version: u64, jobs: Vec<JobRead>) -> Vec<Output> {
    let result = Ok(JobsRead { version, jobs });
    consumer.handle(Instant(500), Input::Jobs { sub: 1, result })
}

fn change(n: u8) -> Vec<Move> {
    vec![moved(n, Place::Ready, Place::Leased)]
}

#[test]
fn a_board_is_read_after_its_queue_is_followed_and_then_what_changes_is_told() {
    let mut consumer = watched(5);
    assert!(hear(&mut consumer, 6, change(1)).is_empty(), "not at once: it was told just now");
    assert_eq!(asked(&later(&mut consumer)), Some(vec![id(1)]));
    let out = tell(&mut consumer, 6, vec![shown(1, Place::Leased)]);
    let [text] = &sent(&out)[..] else { panic!("{out:?}") };
    assert!(text.starts_with(r#"{"moved":{"sub":1,"queue":"#));
    assert!(text.contains(r#""place":"leased""#) && !text.contains("gone"));
}

#[test]
fn nothing_older_than_the_board_is_told() {
    let mut consumer = watched(5);
    hear(&mut consumer, 5, change(1));
    hear(&mut consumer, 4, change(2));
    assert_eq!(consumer.deadline(), Some(NOW + Limits::default().ping_every));
}

#[test]
fn changes_are_told_in_whatever_order_they_are_heard() {
    let mut consumer = watched(5);
    hear(&mut consumer, 7, change(1));
    hear(&mut consumer, 6, change(2));
    assert_eq!(asked(&later(&mut consumer)), Some(vec![id(1), id(2)]));
}

#[test]
fn a_job_that_is_removed_is_told_as_gone() {
    let mut consumer = watched(5);
    hear(&mut consumer, 6, change(1));
    later(&mut consumer);
    let out = tell(&mut consumer, 6, Vec::new());
    assert!(sent(&out)[0].contains(&format!(r#""jobs":[],"gone":["{}"]"#, id(1))));
}

#[test]
fn what_changes_while_it_is_read_is_read_again() {
    let mut consumer = watched(5);
    hear(&mut consumer, 6, change(1));
    later(&mut consumer);
    hear(&mut consumer, 7, change(1));
    hear(&mut consumer, 8, change(2));
    tell(&mut consumer, 7, vec![shown(1, Place::Leased)]);
    flushed(&mut consumer);
    assert_eq!(asked(&later(&mut consumer)), Some(vec![id(2)]), "the first one was in it");
}

#[test]
fn nothing_is_read_for_who_does_not_read() {
    let mut consumer = watched(5);
    hear(&mut consumer, 6, change(1));
    later(&mut consumer);
    tell(&mut consumer, 6, vec![shown(1, Place::Leased)]);
    hear(&mut consumer, 7, change(1));
    assert!(consumer.handle(Instant(5_000), Input::Tick).is_empty());
    assert_eq!(asked(&consumer.handle(Instant(5_001), Input::Flushed)), Some(vec![id(1)]));
}

#[test]
fn past_as_many_changes_as_may_wait_the_board_is_read_anew() {
    let mut consumer = watched(5);
    let job = |n: u128| Move {
        job: JobId::from_bytes(n.to_be_bytes()),
        ..moved(0, Place::Ready, Place::Leased)
    };
    let most = CHANGES as u128;
    hear(&mut consumer, 6, (0..most).map(job).collect());
    assert_eq!(consumer.watches[&1].changed.len(), CHANGES);
    hear(&mut consumer, 7, (0..=most).map(job).collect());
    assert!(consumer.watches[&1].changed.is_empty());
    let out = later(&mut consumer);
    assert!(matches!(&out[..], [Output::Board { sub: 1, .. }]));
    hear(&mut consumer, 8, change(1));
    let result = Ok(Some(board(7)));
    let out = consumer.handle(Instant(500), Input::Board { sub: 1, result });
    assert!(sent(&out)[0].starts_with(r#"{"board":{"sub":1,"queue":"#), "no request asked for it");
    flushed(&mut consumer);
    assert_eq!(asked(&later(&mut consumer)), Some(vec![id(1)]));
}

#[test]
fn where_a_change_was_missed_the_board_is_read_anew() {
    let mut consumer = watched(5);
    consumer.handle(NOW, Input::Missed(0));
    assert!(matches!(&later(&mut consumer)[..], [Output::Board { sub: 1, .. }]));
}

#[test]
fn a_read_that_fails_is_made_again_after_a_while() {
    let mut consumer = watched(5);
    hear(&mut consumer, 6, change(1));
    later(&mut consumer);
    let fault = || Fault::Overloaded.into();
    consumer.handle(Instant(500), Input::Jobs { sub: 1, result: Err(fault()) });
    assert_eq!(consumer.deadline(), Some(Instant(500) + AGAIN));
    assert_eq!(asked(&later(&mut consumer)), Some(vec![id(1)]));
    consumer.handle(NOW, Input::Missed(0));
    tell(&mut consumer, 6, Vec::new());
    flushed(&mut consumer);
    later(&mut consumer);
    consumer.handle(Instant(2_000), Input::Board { sub: 1, result: Err(fault()) });
    assert!(matches!(&later(&mut consumer)[..], [Output::Board { sub: 1, .. }]));
}

#[test]
fn a_pause_is_told_although_no_job_has_changed() {
    let mut consumer = watched(5);
    hear(&mut consumer, 6, Vec::new());
    let out = later(&mut consumer);
    assert!(sent(&out)[0].ends_with(r#""jobs":[]}}"#), "{out:?}");
    flushed(&mut consumer);
    assert_eq!(consumer.deadline(), Some(NOW + Limits::default().ping_every));
}

#[test]
fn figures_go_to_who_watches_and_of_those_that_wait_the_newest_alone() {
    let mut consumer = watched(5);
    let queue = QueueName { ns: "work".to_owned(), name: "inbox".to_owned() };
    let figures = |done| {
        let (rates, oldest) = (Rates { done, ..Rates::default() }, Some(Millis(done * 100)));
        Input::Figures { queue: &queue, rates, oldest }
    };
    assert!(sent(&consumer.handle(NOW, figures(1)))[0].starts_with(r#"{"figures":{"sub":1,"#));
    assert!(consumer.handle(NOW, figures(2)).is_empty());
    assert!(consumer.handle(NOW, figures(3)).is_empty());
    let out = flushed(&mut consumer);
    let [told] = &sent(&out)[..] else { panic!("{out:?}") };
    assert!(told.contains(r#""done":3"#) && told.contains(r#""oldest_ms":300"#), "{told}");
    frame(&mut consumer, r#"{"unwatch":{"req":2,"sub":1}}"#);
    flushed(&mut consumer);
    assert!(consumer.handle(NOW, figures(4)).is_empty());
}

#[test]
fn a_queue_that_is_not_there_is_not_watched() {
    for (result, code) in [(Ok(None), "unknown_queue"), (Err(Fault::Full.into()), "storage_full")] {
        let mut consumer = ready();
        frame(&mut consumer, r#"{"watch":{"req":1,"ns":"work","queue":"inbox"}}"#);
        let out = consumer.handle(NOW, Input::Board { sub: 1, result });
        assert!(
            matches!(&out[..], [Output::Unfollow(_), Output::Send(text)] if text.contains(code))
        );
    }
}

#[test]
fn more_of_a_place_is_read_for_who_watches_it() {
    let mut consumer = watched(5);
    let ask =
        r#"{"more":{"req":2,"sub":1,"place":"dead","after":"5.0.1","like":{"error":"torn"}}}"#;
    let out = frame(&mut consumer, ask);
    assert!(matches!(&out[..], [Output::Page { place: Place::Dead, after: Some(_), like, .. }]
        if like.error.as_deref() == Some("torn")));
    let read = PlaceRead {
        place: Place::Dead,
        jobs: vec![shown(4, Place::Dead)],
        after: Some("5.1.2".to_owned()),
    };
    let out = consumer.handle(NOW, Input::Page { req: 2, result: Ok(read) });
    assert!(sent(&out)[0].starts_with(r#"{"page":{"req":2,"sub":1,"place":{"place":"dead","#));
    let out = frame(&mut consumer, r#"{"more":{"req":2,"sub":9,"place":"dead"}}"#);
    assert!(sent(&out)[0].starts_with(r#"{"refused":{"req":2,"#));
}

#[test]
fn no_second_page_is_read_before_the_first_has_left() {
    let mut consumer = watched(5);
    let pages = |out: &[Output]| -> Vec<Request> {
        let page = |output: &Output| match output {
            Output::Page { req, .. } => Some(*req),
            _ => None,
        };
        out.iter().filter_map(page).collect()
    };
    let mut ask = |req| {
        let more = format!(r#"{{"more":{{"req":{req},"sub":1,"place":"dead"}}}}"#);
        pages(&frame(&mut consumer, &more))
    };
    assert_eq!([ask(2), ask(3), ask(4)], [vec![2], vec![], vec![]]);
    for (req, next) in [(2, vec![3]), (3, vec![4]), (4, vec![])] {
        let result = Ok(PlaceRead { place: Place::Dead, jobs: Vec::new(), after: None });
        assert!(pages(&consumer.handle(NOW, Input::Page { req, result })).is_empty());
        assert_eq!(pages(&flushed(&mut consumer)), next, "once {req} is on its way");
    }
    // One that cannot be read holds up none behind it.
    let ask = |req| format!(r#"{{"more":{{"req":{req},"sub":1,"place":"dead"}}}}"#);
    frame(&mut consumer, &ask(5));
    frame(&mut consumer, &ask(6));
    let result = Err(Refusal::from(Code::StorageFault));
    consumer.handle(NOW, Input::Page { req: 5, result });
    assert_eq!(pages(&flushed(&mut consumer)), [6]);
}

#[test]
fn a_board_shows_of_long_texts_no_more_than_a_beginning() {
    let mut consumer = watched(5);
    hear(&mut consumer, 6, change(1));
    later(&mut consumer);
    let data = format!("\"{}\"", "x".repeat(2_000));
    let progress =
        Some(crate::storage::jobs::Progress { percent: 1, note: Some("ä".repeat(4_000)) });
    let read = JobRead { data, progress, ..shown(1, Place::Leased) };
    let out = tell(&mut consumer, 6, vec![read]);
    assert!(sent(&out)[0].len() < 1_000 && sent(&out)[0].contains(r#""note":"ää"#));
}

#[test]
fn a_queue_is_watched_once_by_a_connection() {
    let mut consumer = watched(5);
    let out = frame(&mut consumer, r#"{"watch":{"req":2,"ns":"work","queue":"inbox"}}"#);
    assert!(sent(&out)[0].starts_with(r#"{"refused":{"req":2,"code":"too_many""#));
    assert!(!out.iter().any(|it| matches!(it, Output::Board { .. } | Output::Follow(_))));
    frame(&mut consumer, r#"{"unwatch":{"req":3,"sub":1}}"#);
    let out = frame(&mut consumer, r#"{"watch":{"req":4,"ns":"work","queue":"inbox"}}"#);
    assert!(out.iter().any(|it| matches!(it, Output::Board { sub: 2, .. })));
}
