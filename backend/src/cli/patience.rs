//! How long a server is asked again that cannot do something now.

use super::{NotDone, ask::NotAsked};
use holdfast_common::job::code::may_pass;
use std::time::Duration;
use tokio::time::Instant;

/// How long it waits before it asks again.
const PAUSE: Duration = Duration::from_millis(250);

/// How long a server may be away that has what was asked for: it may be starting again.
const AWAY: Duration = Duration::from_secs(60);

/// How long one request may take: of those that are lost without a word there are several in that time.
pub(super) const TRY: Duration = Duration::from_secs(15);

/// How long one that is there may say that it cannot for now.
const BUSY: Duration = Duration::from_secs(600);

/// How often in a row an answer may break off that brings nothing but what had come before.
const VAIN: u32 = 10;

/// The patience with one server.
pub(super) struct Patience {
    /// When it was last as it should be.
    since: Instant,
    /// When it was last there: it has answered, if only that it cannot for now.
    there: Instant,
    /// How often in a row an answer came to nothing new.
    vain: u32,
}

impl Patience {
    pub(super) fn begin() -> Self {
        let now = Instant::now();
        Self { since: now, there: now, vain: 0 }
    }

    /// It has answered as it should.
    pub(super) fn heard(&mut self) {
        *self = Self::begin();
    }

    /// Some of a long answer has come: the server is there, though all of it be known from before.
    pub(super) fn heard_some(&mut self, new: bool) {
        let vain = if new { 0 } else { self.vain + 1 };
        *self = Self { vain, ..Self::begin() };
    }

    /// Waits until it may be asked again.
    ///
    /// # Errors
    /// It is no use to ask again, or not any more.
    pub(super) async fn again(&mut self, why: NotDone) -> Result<(), NotDone> {
        let (since, most) = match &why {
            NotDone::NotAsked(NotAsked::Nobody(..) | NotAsked::Broken(..)) => (self.there, AWAY),
            NotDone::Refused { code, .. } if may_pass(code) => {
                self.there = Instant::now();
                (self.since, BUSY)
            }
            _ => return Err(why),
        };
        let waited = since.elapsed();
        let after = if waited >= most {
            format!("{} s", waited.as_secs())
        } else if self.vain >= VAIN {
            format!("{VAIN} tries")
        } else {
            tokio::time::sleep(PAUSE).await;
            return Ok(());
        };
        Err(NotDone::GivenUp(after, Box::new(why)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_common::error::Code;

    fn refused(code: Code) -> NotDone {
        let (code, text) = (code.name().to_owned(), code.text().to_owned());
        NotDone::Refused { code, text }
    }

    /// How often it is asked, each time to no avail, and what is said at last.
    async fn given_up(why: impl Fn() -> NotDone) -> (u64, String) {
        let (mut patience, mut asked) = (Patience::begin(), 1);
        loop {
            match patience.again(why()).await {
                Ok(()) => asked += 1,
                Err(error) => return (asked, error.to_string()),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_waited_for_and_not_for_ever() {
        let said = "gave up after 600 s: overloaded: ".to_owned() + Code::Overloaded.text();
        assert_eq!(given_up(|| refused(Code::Overloaded)).await, (2_401, said));
        let broken = || NotAsked::Broken("http://a".to_owned(), "cut".to_owned()).into();
        let said = "gave up after 60 s: http://a has no proper answer: cut".to_owned();
        assert_eq!(given_up(broken).await, (241, said));
    }

    /// Asks again for so long, each time to no avail.
    async fn waits(patience: &mut Patience, length: Duration, why: impl Fn() -> NotDone) {
        let begun = Instant::now();
        while begun.elapsed() < length {
            let asked = patience.again(why()).await;
            asked.unwrap_or_else(|error| panic!("after {:?}: {error}", begun.elapsed()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_was_busy_and_then_is_away_may_be_away_for_as_long_as_any() {
        let away = || NotAsked::Broken("http://a".to_owned(), "cut".to_owned()).into();
        let mut patience = Patience::begin();
        for _ in 0..4 {
            waits(&mut patience, AWAY + PAUSE, || refused(Code::Overloaded)).await;
            waits(&mut patience, AWAY - PAUSE, away).await;
        }
        let error = patience.again(away()).await.unwrap_err().to_string();
        assert_eq!(error, "gave up after 60 s: http://a has no proper answer: cut");
        // Being away is no excuse for one that cannot for ten minutes.
        waits(&mut patience, BUSY - 8 * AWAY, || refused(Code::Draining)).await;
        let error = patience.again(refused(Code::Draining)).await.unwrap_err().to_string();
        assert!(error.starts_with("gave up after 600 s: draining: "), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn to_pass_over_what_is_known_takes_its_time_and_is_not_done_for_ever() {
        let cut = || NotAsked::Broken("http://a".to_owned(), "cut".to_owned()).into();
        let mut patience = Patience::begin();
        for _ in 0..3 {
            patience.heard_some(true);
            for _ in 1..VAIN {
                assert!(patience.again(cut()).await.is_ok());
                tokio::time::advance(2 * AWAY).await;
                patience.heard_some(false);
            }
            assert!(patience.again(cut()).await.is_ok(), "one more try may bring something");
        }
        patience.heard_some(false);
        let error = patience.again(cut()).await.unwrap_err().to_string();
        assert_eq!(error, "gave up after 10 tries: http://a has no proper answer: cut");
    }

    #[tokio::test(start_paused = true)]
    async fn what_stays_as_it_is_is_said_at_once() {
        for code in [Code::UnknownRoom, Code::TooMany] {
            assert_eq!(given_up(|| refused(code)).await.0, 1, "{code:?}");
        }
        assert_eq!(given_up(|| NotDone::Wrong("no".to_owned())).await, (1, "no".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_are_lost_without_a_word_are_said_again_some_times() {
        let (mut patience, mut tries) = (Patience::begin(), 0);
        let late =
            || NotAsked::Broken("http://a".to_owned(), "it takes too long".to_owned()).into();
        while tries < 3 {
            tokio::time::advance(TRY).await;
            assert!(patience.again(late()).await.is_ok(), "after {tries} more");
            tries += 1;
        }
        tokio::time::advance(TRY).await;
        let error = patience.again(late()).await.unwrap_err().to_string();
        assert_eq!(error, "gave up after 60 s: http://a has no proper answer: it takes too long");
    }
}
