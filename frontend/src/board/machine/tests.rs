//! What a board shows and says, from outside.

use super::*;
use crate::board::store::{Card, Wait};
use holdfast_common::{codec::work::read_client, id::PersonId, job::Place};

const WELCOME: &str = r#"{"welcome":{"connection":"0199c82c-c000-7c00-8c00-000000000001","server":"0.1.0","now":1760000000000,"limits":{"payload_bytes":65536,"result_bytes":65536,"requests":64,"subscriptions":64,"credit":1000,"ping_every":10000,"silence":25000}}}"#;
const TOKEN: &str = "42-9f3c0a11d2e4b567";

fn id(n: u8) -> JobId {
    JobId::new(u64::from(n), &[n; 10])
}

fn queue(ready: u64, leased: u64) -> String {
    format!(
        r#"{{"ns":"work","name":"inbox","ready":{ready},"delayed":0,"behind":0,"leased":{leased},"done":0,"dead":0,"paused":false,"settings":{{}}}}"#
    )
}

fn job(n: u8, place: &str, attempt: u32, more: &str) -> String {
    let id = id(n);
    format!(
        r#"{{"id":"{id}","type":"task","place":"{place}","priority":0,"attempt":{attempt},"max_attempts":5,"data":{{"title":"Job {n}"}},"age_ms":{}{more}}}"#,
        1_000 - u64::from(n)
    )
}

/// A board with its driver's part, at a time of its own.
struct Page {
    machine: Machine,
    now: Instant,
    /// What stands in the browser's storages.
    kept: Vec<(Shelf, JobId, String)>,
    said: Vec<String>,
}

impl Page {
    fn new() -> Self {
        Self::with(Words::default())
    }

    fn with(kept: Words) -> Self {
        let machine = Machine::new("work".into(), "inbox".into(), kept, 7);
        Self { machine, now: Instant(1_000_000), kept: Vec::new(), said: Vec::new() }
    }

    /// Feeds it; returns the frames it sends.
    fn feed(&mut self, input: Input) -> Vec<WorkClient> {
        let mut sent = Vec::new();
        for output in self.machine.handle(self.now, input) {
            match output {
                Output::Send(text) => sent.push(read_client(text.as_bytes()).unwrap().frame),
                Output::Keep(shelf, job, text) => self.kept.push((shelf, job, text)),
                Output::Drop(shelf, job) => {
                    self.kept.retain(|(on, of, _)| (*on, *of) != (shelf, job));
                }
                Output::Say(words) => self.said.push(words),
                Output::Connect | Output::Close(_) | Output::Taken(_) => {}
            }
        }
        sent
    }

    fn hear(&mut self, frame: &str) -> Vec<WorkClient> {
        self.feed(Input::Frame(frame.into()))
    }

    fn wish(&mut self, wish: Wish) -> Vec<WorkClient> {
        self.feed(Input::Wish(wish))
    }

    fn later(&mut self, ms: u64) -> Vec<WorkClient> {
        self.now = self.now + Millis(ms);
        self.feed(Input::Tick)
    }

    /// Connects; returns what is said right after the welcome.
    fn connect(&mut self) -> Vec<WorkClient> {
        match self.machine.link() {
            Link::Idle => {
                let (person, secret) = (PersonId::NIL, "s".to_owned());
                self.feed(Input::Start(Principal { person, secret, name: "Ada".into() }));
            }
            _ => drop(self.feed(Input::Retry)),
        }
        assert!(matches!(self.feed(Input::Opened)[..], [WorkClient::Hello(_)]));
        let said = self.hear(WELCOME);
        let [WorkClient::Watch(watch), rest @ ..] = &said[..] else {
            panic!("the board is asked for first: {said:?}");
        };
        let req = watch.req;
        self.board(req, &[job(1, "ready", 0, ""), job(2, "ready", 0, "")]);
        rest.to_vec()
    }

    fn board(&mut self, req: Request, ready: &[String]) {
        let (queue, ready) = (queue(2, 0), ready.join(","));
        self.hear(&format!(
            r#"{{"board":{{"sub":1,"req":{req},"queue":{queue},"oldest_ms":250,"places":[{{"place":"ready","jobs":[{ready}]}}]}}}}"#
        ));
    }

    fn moved(&mut self, job: &str) {
        let queue = queue(1, 1);
        self.hear(&format!(r#"{{"moved":{{"sub":1,"queue":{queue},"jobs":[{job}]}}}}"#));
    }

    /// Takes job 1, and is given it.
    fn take(&mut self) {
        let sent = self.wish(Wish::Take(id(1)));
        let [WorkClient::Take(take)] = &sent[..] else { panic!("{sent:?}") };
        let (req, id) = (take.req, id(1));
        self.hear(&format!(
            r#"{{"leased":{{"req":{req},"job":{{"id":"{id}","token":"{TOKEN}","fence":42,"attempt":1,"type":"task","data":{{"title":"Job 1"}},"lease_ms":60000,"expires_at":1}}}}}}"#
        ));
    }

    fn refuse(&mut self, req: Request, rest: &str) -> Vec<WorkClient> {
        self.hear(&format!(r#"{{"refused":{{"req":{req},"detail":"So it is.",{rest}}}}}"#))
    }

    fn card(&self, n: u8) -> Card {
        self.machine.card(id(n)).unwrap()
    }

    fn column(&self, column: Column) -> Vec<String> {
        let cards = self.machine.rows(column).into_iter();
        cards.map(|id| self.machine.card(id).unwrap().title).collect()
    }

    fn cut(&mut self) {
        self.feed(Input::Closed(1006));
    }
}

fn task(title: &str) -> Task {
    Task { title: title.into(), body: String::new() }
}

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
fn a_new_task_waits_with_its_id_and_appears_once() {
    let mut page = Page::new();
    page.connect();
    page.cut();
    page.wish(Wish::Add(id(9), task("Call Bo")));
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
fn what_the_server_could_not_do_now_is_asked_for_again() {
    let mut page = Page::new();
    page.connect();
    let sent = page.wish(Wish::Add(id(9), task("Call Bo")));
    let [WorkClient::Enqueue(enqueue)] = &sent[..] else { panic!("{sent:?}") };
    page.refuse(enqueue.req, r#""code":"queue_full""#);
    assert_eq!(page.card(9).wait, Some(Wait::Add));
    assert!(matches!(page.later(1_000)[..], [WorkClient::Enqueue(_)]));
}

#[test]
fn a_task_that_is_not_accepted_stays_to_be_read_until_it_is_given_up() {
    let mut page = Page::new();
    page.connect();
    let sent = page.wish(Wish::Add(id(9), task("Call Bo")));
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
    page.wish(Wish::Add(id(9), task("Call Bo")));
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

#[test]
fn a_frame_of_a_newer_server_is_passed_over_and_a_broken_one_ends_the_connection() {
    let mut page = Page::new();
    page.connect();
    page.hear(r#"{"weather":{"rain":true}}"#);
    assert_eq!(page.machine.link(), Link::Online);
    page.hear("{");
    assert!(matches!(page.machine.link(), Link::Offline { .. }));
}
