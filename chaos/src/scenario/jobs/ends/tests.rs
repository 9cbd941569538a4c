//! The checks, with what they have to see put into what they are given.

use super::*;
use crate::worker::LEASE_MS;
use serde_json::json;

/// What a run that went well leaves: a plain job, a poison one, and two of a group.
struct Run {
    asked: Asks,
    jobs: Jobs,
    said: Vec<Said>,
    book: Book,
}

/// Nanoseconds.
const MS: u64 = 1_000_000;

const PLAIN: &str = "job-1";
const POISON: &str = "job-2";
const FIRST: &str = "job-3";
const SECOND: &str = "job-4";
const PARENT: &str = "job-6";

impl Run {
    fn well() -> Self {
        let mut run =
            Self { asked: Asks::new(), jobs: Jobs::new(), said: Vec::new(), book: Book::default() };
        for (title, fence) in [(PLAIN, 7), (FIRST, 8), (SECOND, 9)] {
            let group = (title != PLAIN).then(|| "g".to_owned());
            run.asks(title, Kind::Plain, group);
            run.leases(title, fence, fence * 10, fence * 10 + 1);
            run.hears(&format!("had {title} {fence} 1 {title}"));
            run.hears(&format!("ends {title} {fence} {}", fence * 10 * MS + 2 * MS));
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

    /// Some lease that was asked for and came at these milliseconds.
    fn leases(&mut self, title: &str, fence: u64, asked: u64, got: u64) {
        self.hears(&format!("leased {title} {fence} {} {}", asked * MS, got * MS));
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

    /// A job is done by this lease, of which nobody has told.
    fn by_socket(&mut self, title: &str, fence: u64) {
        for said in self.said.iter_mut().filter(|said| said.title == title) {
            said.fence = fence;
        }
        self.book.had.retain(|_, had| had.title != title);
        self.book.ended.retain(|(job, _), _| job != title);
        self.ends(title, "done", "plain", &json!({ "fence": fence, "how": "socket" }), 0);
    }

    /// A parent is done in this way, and has brought its child, which is done as well.
    fn parent(&mut self, how: &str) {
        let child = child(PARENT);
        self.asks(PARENT, Kind::Parent, None);
        for (title, kind, fence) in [(PARENT, "parent", 50), (&*child, "plain", 51)] {
            self.said.push(Said { title: title.to_owned(), fence });
            self.ends(title, "done", kind, &json!({ "fence": fence, "how": how }), 0);
        }
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
fn an_end_that_lacks_its_event_or_its_child_or_has_it_twice_is_seen_by_either_way() {
    type Spoils = fn(&mut Run);
    let faults: [Spoils; 5] = [
        |run| run.said.retain(|said| said.title != PARENT),
        |run| run.said.push(Said { title: PARENT.to_owned(), fence: 50 }),
        |run| run.said.push(Said { title: PARENT.to_owned(), fence: 49 }),
        |run| {
            run.jobs.remove(&child(PARENT));
            run.said.retain(|said| said.title != child(PARENT));
        },
        |run| {
            run.ends(&child(PLAIN), "done", "plain", &json!({ "fence": 52, "how": "socket" }), 0);
            run.said.push(Said { title: child(PLAIN), fence: 52 });
        },
    ];
    for how in ["http", "socket"] {
        let mut run = Run::well();
        run.parent(how);
        assert_eq!(run.broken(), None, "{how}");
        for (n, spoils) in (1..).zip(faults) {
            let mut run = Run::well();
            run.parent(how);
            spoils(&mut run);
            assert_eq!(run.broken().as_deref(), Some("J4"), "{how}, fault {n}");
        }
    }
}

#[test]
fn a_schedule_that_fires_twice_or_not_is_seen() {
    let ticks = Ticks { jobs: ["7".to_owned()].into(), ..Ticks::default() };
    let mut run = Run::well();
    assert!(fired_once(&ticks, &run.jobs).is_err());
    let result = json!({ "fence": 50, "how": "socket" });
    run.ends(&of_schedule("7"), "done", "plain", &result, 0);
    run.said.push(Said { title: of_schedule("7"), fence: 50 });
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

/// When the first lease of these comes, in milliseconds.
const LATER: u64 = 100_000;

#[test]
fn a_job_that_is_given_to_another_while_its_lease_stands_is_seen() {
    let gave_after = |after: u64| {
        let mut run = Run::well();
        run.leases(POISON, 30, LATER, LATER + 5);
        run.leases(POISON, 31, LATER + after - 1, LATER + after);
        run.broken()
    };
    assert_eq!(gave_after(10).as_deref(), Some("J2"));
    assert_eq!(gave_after(LEASE_MS / 2).as_deref(), Some("J2"));
    assert_eq!(gave_after(LEASE_MS), None);
}

#[test]
fn one_that_has_come_behind_many_others_is_held_against_each_of_them() {
    let mut run = Run::well();
    run.leases(POISON, 30, LATER, LATER + 5);
    run.hears(&format!("longer {POISON} 30 {}", (LATER + 6) * MS));
    run.leases(POISON, 31, LATER + LEASE_MS, LATER + LEASE_MS + 1);
    assert_eq!(run.broken().as_deref(), Some("J2"), "it was made longer");
    let mut run = Run::well();
    run.leases(POISON, 30, LATER, LATER + 900);
    run.leases(POISON, 31, LATER - 1_400, LATER + LEASE_MS);
    run.leases(POISON, 32, LATER + 1, LATER + 905);
    assert_eq!(run.broken().as_deref(), Some("J2"), "the first stood, and so did the second");
}

#[test]
fn who_ends_a_job_lets_others_have_it_from_then_on_and_not_before() {
    let ended_at = |ended: u64, got: u64| {
        let mut run = Run::well();
        run.leases(POISON, 30, LATER, LATER + 5);
        run.leases(POISON, 31, LATER + 6, LATER + got);
        run.hears(&format!("ends {POISON} 30 {}", (LATER + ended) * MS));
        // Said again, since nobody has answered.
        run.hears(&format!("ends {POISON} 30 {}", (LATER + 1_000) * MS));
        run.broken()
    };
    assert_eq!(ended_at(20, 30), None);
    assert_eq!(ended_at(30, 20).as_deref(), Some("J2"));
}

#[test]
fn two_of_a_group_that_are_held_at_once_are_seen() {
    let of = |title: &str| {
        let mut run = Run::well();
        run.leases(FIRST, 30, LATER, LATER + 5);
        run.leases(title, 31, LATER + 6, LATER + 50);
        run.broken()
    };
    assert_eq!(of(SECOND).as_deref(), Some("J5"));
    assert_eq!(of(PLAIN), None);
}
