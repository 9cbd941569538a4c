//! A job under any sequence of acts, told by who was given it and what was taken of whom.

use crate::cases;
use holdfast_common::{
    id::JobId,
    job::{
        Act, Ending, Holder, Job, NewJob, Place, QueueSettings, Rate, Refused, Step, StoreTime,
        Tat, Token, backoff,
    },
    time::Millis,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What is done; a token is said by how many claims ago it was given out.
#[derive(Debug, Clone)]
enum Deed {
    Claim(u64),
    Extend(usize, u64),
    End(usize, Ending, u8),
    Timely,
    Lapse,
    Due,
    Free,
    Expire,
    Cancel,
    Requeue(bool),
    Discard,
}

fn ending() -> impl Strategy<Value = Ending> {
    let retry = prop::option::weighted(0.8, (0..3_000_u64).prop_map(Millis));
    prop_oneof![
        2 => Just(Ending::Complete),
        4 => (retry, any::<u64>()).prop_map(|(retry, chance)| Ending::Fail { retry, chance }),
        3 => (0..2_000_u64).prop_map(|delay| Ending::Snooze(Millis(delay))),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        8 => (0..5_000_u64).prop_map(Deed::Claim),
        2 => (0..3_usize, 0..5_000_u64).prop_map(|(ago, length)| Deed::Extend(ago, length)),
        6 => (0..3_usize, ending(), 0..2_u8).prop_map(|(ago, how, said)| Deed::End(ago, how, said)),
        6 => Just(Deed::Timely),
        1 => Just(Deed::Lapse),
        1 => Just(Deed::Due),
        2 => Just(Deed::Free),
        1 => Just(Deed::Expire),
        1 => Just(Deed::Cancel),
        2 => any::<bool>().prop_map(Deed::Requeue),
        1 => Just(Deed::Discard),
    ]
}

fn plain() -> NewJob {
    NewJob {
        id: JobId::NIL,
        ns: "work".to_owned(),
        queue: "inbox".to_owned(),
        kind: "task".to_owned(),
        data: "{}".to_owned(),
        delay: Millis(0),
        priority: 0,
        group: Some("ward".to_owned()),
        most: None,
        backoff: None,
        expires: None,
        asker: None,
    }
}

fn asked() -> impl Strategy<Value = NewJob> {
    let expires = prop::option::weighted(0.3, (0..9_000_u64).prop_map(Millis));
    (0..2_000_u64, 1..4_u32, 0..2_000_u64, expires).prop_map(|(delay, most, backoff, expires)| {
        NewJob {
            delay: Millis(delay),
            most: Some(most),
            backoff: Some(Millis(backoff)),
            expires,
            ..plain()
        }
    })
}

/// A job, and what an observer has seen of it.
struct Watched {
    job: Job,
    now: StoreTime,
    /// Each token that was ever given out.
    tokens: Vec<Token>,
    /// Those whose word to end the lease was taken.
    ended: BTreeSet<u64>,
    /// Claims since it was enqueued or requeued, without those that were snoozed.
    begun: u32,
}

impl Watched {
    fn new(asked: &NewJob, behind: bool) -> Self {
        let now = StoreTime(1_000);
        let job = Job::new(now, asked, &QueueSettings::default(), behind);
        Self { job, now, tokens: Vec::new(), ended: BTreeSet::new(), begun: 0 }
    }

    fn token(&self, ago: usize) -> Token {
        let place = self.tokens.len().checked_sub(ago + 1);
        place.map_or(Token { fence: u64::MAX, key: 0 }, |place| self.tokens[place])
    }

    fn act(&self, deed: &Deed) -> Option<Act> {
        Some(match *deed {
            Deed::Claim(length) => {
                let fence = self.tokens.len() as u64;
                let holder = Holder { consumer: "one".to_owned(), person: None };
                Act::Claim { token: Token { fence, key: 7 }, holder, length: Millis(length) }
            }
            Deed::Extend(ago, length) => {
                Act::Extend { token: self.token(ago), length: Millis(length) }
            }
            Deed::End(ago, how, said) => {
                Act::End { token: self.token(ago), digest: [said; 32], how }
            }
            Deed::Timely => self.job.overdue(self.now)?,
            Deed::Lapse => Act::Lapse,
            Deed::Due => Act::Due,
            Deed::Free => Act::Free,
            Deed::Expire => Act::Expire,
            Deed::Cancel => Act::Cancel,
            Deed::Requeue(behind) => Act::Requeue { behind },
            Deed::Discard => Act::Discard,
        })
    }

    /// Does it and compares what came of it with what may.
    fn step(&mut self, deed: &Deed) -> Result<Option<Step>, TestCaseError> {
        let Some(act) = self.act(deed) else {
            return Ok(None);
        };
        let before = self.job.clone();
        let held = self.holds();
        let came = self.job.act(self.now, act.clone());
        let Ok(step) = came else {
            prop_assert_eq!(&self.job, &before, "what is refused changes nothing");
            prop_assert!(!matches!(deed, Deed::Timely), "what is overdue can be done: {:?}", act);
            return Ok(None);
        };
        prop_assert_eq!((step.from, step.to), (before.place, self.job.place));
        let let_go = before.place == Place::Leased && self.job.place != Place::Leased;
        prop_assert_eq!(&step.lease, if let_go { &before.lease } else { &None });
        prop_assert_eq!(step.frees, before.place.heads() && step.to.ended());
        if before.place.ended() {
            let again = matches!(act, Act::Requeue { .. } | Act::Discard);
            prop_assert!(before.place == Place::Dead && again, "{:?} after the end", act);
        }
        match act {
            Act::Claim { token, .. } => {
                prop_assert_eq!(held, None, "it was leased and is leased once more");
                prop_assert!(before.expires.is_none_or(|at| self.now < at));
                self.tokens.push(token);
                self.begun += 1;
            }
            Act::Extend { token, .. } => prop_assert_eq!(held, Some(token)),
            Act::End { token, how, .. } => {
                prop_assert_eq!(held, Some(token), "whose word was taken did not hold it");
                prop_assert!(self.ended.insert(token.fence), "one lease was ended twice");
                self.begun -= u32::from(matches!(how, Ending::Snooze(_)));
            }
            Act::Lapse => prop_assert_eq!(held, None, "the lease had not run out"),
            Act::Requeue { .. } => self.begun = 0,
            Act::Due | Act::Free | Act::Expire | Act::Cancel | Act::Discard => {}
        }
        Ok(Some(step))
    }

    /// The one token that holds the job, of all that there ever were.
    fn holds(&self) -> Option<Token> {
        let mut live = self.tokens.iter().filter(|token| self.job.check(self.now, **token).is_ok());
        let one = live.next().copied();
        assert_eq!(live.next(), None, "two leases are alive");
        one
    }

    fn must_hold(&self) -> Result<(), TestCaseError> {
        let job = &self.job;
        prop_assert_eq!(job.lease.is_some(), job.place == Place::Leased);
        prop_assert!(job.attempt <= job.most);
        prop_assert_eq!(job.attempt, self.begun);
        let waits = job.place == Place::Ready;
        prop_assert!(!waits || job.attempt < job.most, "it is ready and has no attempt left");
        self.holds();
        Ok(())
    }

    /// Goes on as an honest consumer does, until it has ended.
    fn heal(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..20 {
            if self.job.place.ended() {
                return Ok(());
            }
            self.now = self.now.max(self.job.due);
            while self.step(&Deed::Timely)?.is_some() {}
            let deed = match self.job.place {
                Place::Behind => Deed::Free,
                Place::Ready => Deed::Claim(1_000),
                _ => Deed::End(0, Ending::Complete, 0),
            };
            self.step(&deed)?;
        }
        Err(TestCaseError::fail(format!("it is stuck: {:?}", self.job)))
    }
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn whatever_is_done_to_a_job_one_holds_it_at_a_time_and_it_comes_to_its_end(
        asked in asked(),
        behind in any::<bool>(),
        deeds in prop::collection::vec((0..1_500_u64, deed()), 1..60),
    ) {
        let mut watched = Watched::new(&asked, behind);
        for (length, deed) in &deeds {
            watched.now = watched.now + Millis(*length);
            watched.step(deed)?;
            watched.must_hold()?;
        }
        watched.heal()?;
    }

    #[test]
    fn of_a_group_one_job_is_in_front_and_there_is_one_as_long_as_any_waits(
        asked in prop::collection::vec(asked(), 2..6),
        deeds in prop::collection::vec((0..6_usize, 0..1_500_u64, deed()), 1..80),
    ) {
        let mut group: Vec<Watched> = Vec::new();
        let mut asked = asked.iter();
        for (at, length, deed) in deeds {
            let waits = group.iter().any(|one| !one.job.place.ended());
            if at == 5 && let Some(asked) = asked.next() {
                group.push(Watched::new(asked, waits));
            }
            let Some(one) = group.get_mut(at) else {
                continue;
            };
            one.now = one.now + Millis(length);
            let step = match deed {
                // The engine alone frees, and it alone knows who is behind whom.
                Deed::Free => None,
                Deed::Requeue(_) => one.step(&Deed::Requeue(waits))?,
                deed => one.step(&deed)?,
            };
            if step.is_some_and(|step| step.frees)
                && let Some(next) = group.iter_mut().find(|one| one.job.place == Place::Behind)
            {
                next.step(&Deed::Free)?;
            }
            let heads = group.iter().filter(|one| one.job.place.heads()).count();
            let waits = group.iter().any(|one| !one.job.place.ended());
            prop_assert_eq!(heads, usize::from(waits));
        }
    }

    #[test]
    fn the_same_end_again_is_known_whatever_time_it_is(how in ending(), later in 0..99_000_u64) {
        let mut watched = Watched::new(&plain(), false);
        watched.step(&Deed::Claim(1_000))?;
        let end = Deed::End(0, how, 1);
        prop_assert!(watched.step(&end)?.is_some());
        watched.now = watched.now + Millis(later);
        let act = watched.act(&end).unwrap();
        prop_assert_eq!(watched.job.act(watched.now, act), Err(Refused::Again));
    }

    #[test]
    fn a_wait_between_two_attempts_is_within_its_bounds(
        first in any::<u64>(),
        attempt in any::<u32>(),
        chance in any::<u64>(),
    ) {
        let most = u128::from(first) << attempt.saturating_sub(1).min(40);
        let half_a_day = 12 * 3_600 * 1_000;
        let most = most.min(u128::from(first).clamp(half_a_day, 2 * half_a_day));
        let wait = u128::from(backoff::wait(Millis(first), attempt, chance).0);
        prop_assert!((most / 2..=most).contains(&wait), "{} of {}", wait, most);
    }

    #[test]
    fn a_rate_never_lets_more_begin_than_its_burst_and_what_the_time_gives(
        jobs in 1..2_000_u32,
        per in 1..5_000_u64,
        burst in 1..50_u32,
        calls in prop::collection::vec((0..2_000_u64, 1..60_u32, 0..60_u32), 1..40),
    ) {
        let rate = Rate { jobs, per: Millis(per), burst };
        let (mut tat, mut now) = (Tat(0), StoreTime(1_000));
        let mut began: Vec<(StoreTime, u32)> = Vec::new();
        for (length, wanted, found) in calls {
            now = now + Millis(length);
            let allowed = rate.allow(tat, now, wanted);
            prop_assert!(allowed.jobs <= wanted);
            if allowed.jobs < wanted {
                let soon = rate.allow(allowed.tat, now + allowed.wait, 1);
                prop_assert_eq!(soon.jobs, 1, "it said when one more may begin");
            }
            // No more were found than these.
            let kept = rate.allow(tat, now, allowed.jobs.min(found));
            prop_assert_eq!(kept.jobs, allowed.jobs.min(found));
            tat = kept.tat;
            began.push((now, kept.jobs));
        }
        for (from, (start, _)) in began.iter().enumerate() {
            let mut sum = 0;
            for (end, count) in &began[from..] {
                sum += u64::from(*count);
                let given = u64::from(burst) * per + (*end - *start).0 * u64::from(jobs);
                prop_assert!(sum * per <= given, "{} jobs from {:?} to {:?}", sum, start, end);
            }
        }
    }
}
