//! The checks, with what they have to see put into what they are given.

use super::*;
use serde_json::json;

/// What a run that went well leaves: a plain job, a poison one, and two of a group.
struct Run {
    asked: Asks,
    jobs: Jobs,
    said: Vec<Said>,
    book: Book,
}

const PLAIN: &str = "job-1";
const POISON: &str = "job-2";
const FIRST: &str = "job-3";
const SECOND: &str = "job-4";

impl Run {
    fn well() -> Self {
        let mut run =
            Self { asked: Asks::new(), jobs: Jobs::new(), said: Vec::new(), book: Book::default() };
        for (title, fence) in [(PLAIN, 7), (FIRST, 8), (SECOND, 9)] {
            let group = (title != PLAIN).then(|| "g".to_owned());
            run.asks(title, Kind::Plain, group);
            run.hears(&format!("had {title} {fence} 1 {title}"));
            run.hears(&format!("said {title} {fence} complete done"));
            run.said.push(Said { title: title.to_owned(), fence });
            let result = json!({ "fence": fence, "how": "http" });
            run.ends(title, "done", "plain", &result, 0);
        }
        run.asks(POISON, Kind::Fails, None);
        for (attempt, fence) in (1..=POISON_ATTEMPTS).zip(20..) {
            run.hears(&format!("had {POISON} {fence} {attempt} {POISON}"));
            run.hears(&format!("said {POISON} {fence} fail done"));
        }
        run.ends(POISON, "dead", "fails", &Value::Null, POISON_ATTEMPTS);
        run
    }

    fn asks(&mut self, title: &str, kind: Kind, group: Option<String>) {
        let asked = Asked { id: title.to_owned(), kind, group, by: None };
        self.asked.insert(title.to_owned(), asked);
    }

    fn hears(&mut self, line: &str) {
        self.book.take("worker-1", line);
    }

    fn ends(&mut self, title: &str, state: &str, kind: &str, result: &Value, errors: u32) {
        let error = json!({ "at": 1, "error": format!("{title} cannot be done") });
        let errors: Vec<_> = (0..errors).map(|_| &error).collect();
        let data = json!({ "title": title, "body": kind });
        let job = json!({
            "id": title, "state": state, "data": data, "result": result, "errors": errors,
        });
        self.jobs.insert(title.to_owned(), serde_json::from_value(job).unwrap());
    }

    /// A job is done by this lease, of which nobody has told, and says nothing in a room.
    fn by_socket(&mut self, title: &str, fence: u64) {
        self.said.retain(|said| said.title != title);
        self.book.had.retain(|_, had| had.title != title);
        self.book.ended.retain(|(job, _), _| job != title);
        self.ends(title, "done", "plain", &json!({ "fence": fence, "how": "socket" }), 0);
    }

    /// Which line does not hold.
    fn broken(&self) -> Option<String> {
        let book = &self.book;
        let checked = book
            .unbroken()
            .and_then(|()| begun_as_often_as_may(&self.asked, book))
            .and_then(|()| check(&self.asked, &self.jobs, &self.said, book));
        let error = checked.err()?.to_string();
        error.split_once(':').map(|(line, _)| line.to_owned())
    }
}

#[test]
fn what_went_well_passes() {
    assert_eq!(Run::well().broken(), None);
}

#[test]
fn jobs_of_a_group_that_end_by_socket_pass_in_their_order() {
    let mut run = Run::well();
    run.by_socket(SECOND, 12);
    assert_eq!(run.broken(), None);
}

#[test]
fn each_fault_is_seen_and_named() {
    type Spoils = fn(&mut Run);
    let faults: [(&str, Spoils); 14] = [
        ("J1", |run| drop(run.jobs.remove(PLAIN))),
        ("J2", |run| run.hears(&format!("had {PLAIN} 7 1 {PLAIN}"))),
        ("J3", |run| run.hears(&format!("said {PLAIN} 7 complete expired"))),
        ("J3", |run| run.hears(&format!("said {POISON} 20 complete done"))),
        ("J3", |run| run.hears(&format!("had {PLAIN} 11 2 {PLAIN}"))),
        ("J4", |run| run.said.push(Said { title: PLAIN.to_owned(), fence: 6 })),
        ("J4", |run| drop(run.said.remove(0))),
        ("J4", |run| run.said[0].fence = 6),
        ("J4", |run| run.ends("job-5", "done", "plain", &Value::Null, 0)),
        ("J5", |run| run.said.swap(1, 2)),
        ("J5", |run| run.hears(&format!("had {FIRST} 40 2 {FIRST}"))),
        ("J5", |run| run.by_socket(SECOND, 6)),
        ("J7", |run| run.ends(POISON, "dead", "fails", &Value::Null, POISON_ATTEMPTS + 1)),
        ("J7", |run| run.hears(&format!("had {POISON} 30 4 {POISON}"))),
    ];
    for (n, (line, spoils)) in (1..).zip(faults) {
        let mut run = Run::well();
        spoils(&mut run);
        assert_eq!(run.broken().as_deref(), Some(line), "fault {n}");
    }
}

#[test]
fn a_schedule_that_fires_twice_or_not_is_seen() {
    let ticks = Ticks { jobs: ["7".to_owned()].into(), ..Ticks::default() };
    let mut run = Run::well();
    assert!(fired_once(&ticks, &run.jobs).is_err());
    let result = json!({ "fence": 50, "how": "socket" });
    run.ends(&of_schedule("7"), "done", "plain", &result, 0);
    assert!(fired_once(&ticks, &run.jobs).is_ok() && run.broken().is_none());
    run.ends(&of_schedule("8"), "done", "plain", &result, 0);
    assert!(fired_once(&ticks, &run.jobs).unwrap_err().to_string().starts_with("J10: "));
}

#[test]
fn a_lease_that_is_refused_over_a_stop_or_a_jump_is_seen() {
    let mut run = Run::well();
    run.hears(&format!("had {FIRST} 40 2 {FIRST}"));
    run.hears(&format!("holds {FIRST} 40"));
    run.book.stands_still();
    run.hears(&format!("said {FIRST} 40 complete expired"));
    assert_eq!(run.broken().as_deref(), Some("J8"));
}
