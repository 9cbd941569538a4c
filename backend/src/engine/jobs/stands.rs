//! What has become of a lease about which something is said that cannot be done.

use super::{
    Work,
    digest::{Said, digest_of},
    rows::{Row, Rows},
    work::Worked,
};
use holdfast_common::{
    cursor::Offset,
    id::RoomId,
    job::{Over, Spent},
    storage::jobs::{Ended, How, Word, WordEvent},
};

impl<R: Rows> Work<R> {
    /// `rooms` finds those that have or had the name of an event's room.
    pub(in crate::engine) fn stands(
        &self,
        word: &Word,
        rooms: impl Fn(&WordEvent) -> Worked<Vec<RoomId>, R>,
    ) -> Worked<Option<Ended>, R> {
        let Some(mut row) = self.rows.job(word.job)? else {
            return Ok(Some(Ended::UnknownJob));
        };
        if let Some(gap) = self.moment.gap {
            row.job.give(gap);
        }
        let Err(why) = row.job.check(self.moment.now, word.token) else {
            return Ok(None);
        };
        if let Some(how) = &word.how
            && let Some(stands) = self.again(&row, word, how, rooms)?
        {
            return Ok(Some(Ended::Again { place: row.job.place, stands }));
        }
        self.exactly(&row, word.token, why).map(|reason| Some(Ended::Late(reason)))
    }

    /// Where the events of a word stand, if it is the one that has ended the job's last lease.
    fn again(
        &self,
        row: &Row,
        word: &Word,
        how: &How,
        rooms: impl Fn(&WordEvent) -> Worked<Vec<RoomId>, R>,
    ) -> Worked<Option<Vec<Option<Offset>>>, R> {
        let Some(Spent { token, over: Over::Ended(digest) }) = row.job.last else {
            return Ok(None);
        };
        if token != word.token {
            return Ok(None);
        }
        let (mut events, mut stands) = (Vec::new(), Vec::new());
        for event in &word.events {
            let Some((room, offset)) = self.stood(event, rooms(event)?)? else {
                return Ok(None);
            };
            let WordEvent { namespace, kind, data, .. } = event;
            events.push(Said { room, namespace, kind, data });
            stands.push(Some(offset));
        }
        let is_it = digest_of(how, events.into_iter(), &word.jobs) == digest;
        Ok(is_it.then_some(stands))
    }

    /// In which of these rooms an event stands or stood, and where.
    fn stood(&self, event: &WordEvent, rooms: Vec<RoomId>) -> Worked<Option<(RoomId, Offset)>, R> {
        for room in rooms {
            if let Some(offset) = self.rows.stands(room, event.id)? {
                return Ok(Some((room, offset)));
            }
        }
        Ok(None)
    }
}
