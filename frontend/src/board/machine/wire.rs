//! The server's frames, read by hand.
//!
//! The derived readers of [`codec::work`](holdfast_common::codec::work) are a seventh of this page's first
//! load, for members most of which a board does not show. What is read here is what they read; the tests
//! hold it to them. A member that is missing or of another form ends the connection, as there; a reason or
//! a place of a newer server does not.

use holdfast_common::{
    frame::work::{
        Away, Board, Did, Enqueued, Figures, JobLeased, JobShown, Leased, Lost, Moved, Page, Ping,
        PlaceShown, QueueShown, Refused, SERVER_FRAMES, Welcome, WorkLimits, WorkServer,
    },
    id::ConnectionId,
    job::{
        JobState, Place, QueueSettings, Reason,
        figures::{Rates, Spread},
    },
    time::{Millis, Timestamp},
};
use serde_json::{Value, value::RawValue};
use std::str::FromStr;

/// Reads a server's frame: `Some(None)` is one that says nothing to a board, `None` is no frame.
pub(super) fn read(text: &str) -> Option<Option<WorkServer>> {
    let value: Value = serde_json::from_str(text).ok()?;
    let members = value.as_object().filter(|members| members.len() == 1)?;
    let (name, value) = members.iter().next()?;
    let of = Of(value);
    Some(Some(match name.as_str() {
        "welcome" => WorkServer::Welcome(of.welcome()?),
        "leased" => WorkServer::Leased(of.leased()?),
        "enqueued" => {
            let (req, id) = (of.number("req")?, of.id("id")?);
            WorkServer::Enqueued(Enqueued { req, id, again: of.is("again") })
        }
        "did" => WorkServer::Did(of.did()?),
        "refused" => WorkServer::Refused(of.refused()?),
        "board" => WorkServer::Board(of.board()?),
        "moved" => WorkServer::Moved(of.moved()?),
        "page" => {
            let (req, sub) = (of.number("req")?, of.number("sub")?);
            WorkServer::Page(Page { req, sub, place: of.at("place").place()? })
        }
        "figures" => {
            let (sub, figures) = (of.number("sub")?, of.at("figures").rates()?);
            WorkServer::Figures(Figures { sub, figures, oldest_ms: of.millis("oldest_ms") })
        }
        "lost" => {
            let (job, fence, reason) = (of.id("job")?, of.number("fence")?, of.reason("reason")?);
            WorkServer::Lost(Lost { job, fence, reason })
        }
        "pong" => WorkServer::Pong(Ping { n: of.number("n")? }),
        "away" => WorkServer::Away(Away { after: of.millis("after")? }),
        // Nothing was asked that it would answer, or it is a newer server's.
        _ if SERVER_FRAMES.contains(&name.as_str()) || value.is_object() => return Some(None),
        _ => return None,
    }))
}

/// What a member says.
#[derive(Clone, Copy)]
struct Of<'a>(&'a Value);

impl<'a> Of<'a> {
    fn at(self, name: &str) -> Self {
        Self(&self.0[name])
    }

    fn number(self, name: &str) -> Option<u64> {
        self.0[name].as_u64()
    }

    fn small<T: TryFrom<u64>>(self, name: &str) -> Option<T> {
        T::try_from(self.number(name)?).ok()
    }

    fn millis(self, name: &str) -> Option<Millis> {
        self.number(name).map(Millis)
    }

    fn is(self, name: &str) -> bool {
        self.0[name] == true
    }

    fn text(self, name: &str) -> Option<&'a str> {
        self.0[name].as_str()
    }

    fn own(self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    fn id<T: FromStr>(self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }

    fn json(self, name: &str) -> Option<Box<RawValue>> {
        let value = self.0.get(name)?;
        RawValue::from_string(value.to_string()).ok()
    }

    fn all<T>(self, name: &str, read: fn(Self) -> Option<T>) -> Option<Vec<T>> {
        self.list(name, false)?.into_iter().map(read).collect()
    }

    /// Of a list what stands at a place of a newer server, or all else.
    fn list(self, name: &str, elsewhere: bool) -> Option<Vec<Self>> {
        let unknown = |it: &Self| it.text("place").is_some() && it.where_it_is().is_none();
        match &self.0[name] {
            Value::Null => Some(Vec::new()),
            list => {
                let list = list.as_array()?.iter().map(Of);
                Some(list.filter(|it| unknown(it) == elsewhere).collect())
            }
        }
    }

    fn reason(self, name: &str) -> Option<Reason> {
        Some(match self.text(name)? {
            "expired" => Reason::Expired,
            "ended" => Reason::Ended,
            "cancelled" => Reason::Cancelled,
            "old" => Reason::Old,
            // A newer server's too.
            _ => Reason::Other,
        })
    }

    fn state(self) -> Option<JobState> {
        Some(match self.text("state")? {
            "ready" => JobState::Ready,
            "leased" => JobState::Leased,
            "done" => JobState::Done,
            "dead" => JobState::Dead,
            "cancelled" => JobState::Cancelled,
            _ => return None,
        })
    }

    fn where_it_is(self) -> Option<Place> {
        Some(match self.text("place")? {
            "ready" => Place::Ready,
            "delayed" => Place::Delayed,
            "behind" => Place::Behind,
            "leased" => Place::Leased,
            "done" => Place::Done,
            "dead" => Place::Dead,
            "cancelled" => Place::Cancelled,
            _ => return None,
        })
    }

    fn welcome(self) -> Option<Welcome> {
        let limits = self.at("limits");
        let limits = WorkLimits {
            payload_bytes: limits.small("payload_bytes")?,
            result_bytes: limits.small("result_bytes")?,
            requests: limits.small("requests")?,
            subscriptions: limits.small("subscriptions")?,
            credit: limits.small("credit")?,
            ping_every: limits.millis("ping_every")?,
            silence: limits.millis("silence")?,
        };
        let connection: ConnectionId = self.id("connection")?;
        let now = Timestamp(self.number("now")?);
        Some(Welcome { connection, server: self.own("server")?, now, limits })
    }

    fn leased(self) -> Option<Leased> {
        let job = self.at("job");
        let job = JobLeased {
            id: job.id("id")?,
            token: job.own("token")?,
            fence: job.number("fence")?,
            attempt: job.small("attempt")?,
            kind: job.own("type")?,
            data: job.json("data")?,
            group: job.own("group"),
            lease_ms: job.millis("lease_ms")?,
            expires_at: Timestamp(job.number("expires_at")?),
        };
        Some(Leased { sub: self.number("sub"), req: self.number("req"), job })
    }

    fn did(self) -> Option<Did> {
        Some(Did {
            req: self.number("req")?,
            state: self.state(),
            again: self.is("again"),
            retry_ms: self.millis("retry_ms"),
            lease_ms: self.millis("lease_ms"),
            expires_at: self.number("expires_at").map(Timestamp),
            count: self.number("count"),
        })
    }

    fn refused(self) -> Option<Refused> {
        Some(Refused {
            req: self.number("req")?,
            code: self.own("code")?,
            detail: self.own("detail")?,
            reason: self.reason("reason"),
            state: self.state(),
        })
    }

    fn board(self) -> Option<Board> {
        Some(Board {
            sub: self.number("sub")?,
            req: self.number("req"),
            queue: self.at("queue").queue()?,
            oldest_ms: self.millis("oldest_ms"),
            places: self.all("places", Self::place)?,
        })
    }

    fn moved(self) -> Option<Moved> {
        let jobs = self.all("jobs", Self::job)?;
        let mut gone = self.all("gone", |it| it.0.as_str()?.parse().ok())?;
        // What stands elsewhere now has left the board.
        for job in self.list("jobs", true)? {
            gone.push(job.id("id")?);
        }
        Some(Moved { sub: self.number("sub")?, queue: self.at("queue").queue()?, jobs, gone })
    }

    /// Of its settings those that a board goes by.
    fn queue(self) -> Option<QueueShown> {
        let settings = self.at("settings");
        let default = QueueSettings::default();
        let settings = QueueSettings {
            in_flight: settings.small("in_flight"),
            attempts: settings.small("max_attempts").unwrap_or(default.attempts),
            ..default
        };
        Some(QueueShown {
            ns: self.own("ns")?,
            name: self.own("name")?,
            ready: self.number("ready")?,
            delayed: self.number("delayed")?,
            behind: self.number("behind")?,
            leased: self.number("leased")?,
            done: self.number("done")?,
            dead: self.number("dead")?,
            paused: self.is("paused"),
            settings,
        })
    }

    fn place(self) -> Option<PlaceShown> {
        let (place, jobs) = (self.where_it_is()?, self.all("jobs", Self::job)?);
        Some(PlaceShown { place, jobs, after: self.own("after") })
    }

    fn job(self) -> Option<JobShown> {
        Some(JobShown {
            id: self.id("id")?,
            seq: self.number("seq"),
            kind: self.own("type")?,
            place: self.where_it_is()?,
            priority: i8::try_from(self.0["priority"].as_i64()?).ok()?,
            group: self.own("group"),
            attempt: self.small("attempt")?,
            max_attempts: self.small("max_attempts")?,
            data: self.json("data"),
            consumer: self.own("consumer"),
            person: self.id("person"),
            progress: self.small("progress"),
            note: self.own("note"),
            error: self.own("error"),
            due_in_ms: self.millis("due_in_ms"),
            age_ms: self.millis("age_ms")?,
        })
    }

    fn rates(self) -> Option<Rates> {
        Some(Rates {
            enqueued: self.number("enqueued")?,
            started: self.number("started")?,
            done: self.number("done")?,
            failed: self.number("failed")?,
            dead: self.number("dead")?,
            wait: self.at("wait").spread(),
            run: self.at("run").spread(),
        })
    }

    fn spread(self) -> Option<Spread> {
        Some(Spread { p50_ms: self.millis("p50_ms")?, p95_ms: self.millis("p95_ms")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_common::codec::work::{read_server, write_server};

    /// The frames that the protocol's own page shows.
    fn shown() -> Vec<String> {
        let page = include_str!("../../../../docs/protocol.md");
        let blocks = page.split("```json work server\n").skip(1);
        blocks.filter_map(|block| Some(block.split_once("```")?.0.to_owned())).collect()
    }

    #[test]
    fn every_frame_that_the_protocol_shows_is_read_as_the_codec_reads_it() {
        let frames = shown();
        assert!(frames.len() > 10, "the page shows frames of a server");
        let mut silent = 0;
        for text in frames {
            let mut read_by_codec = read_server(&text).unwrap().unwrap();
            // Of a queue's settings a board reads two, and payloads are the same JSON in other bytes.
            let settings = |queue: &mut QueueShown| {
                let QueueSettings { in_flight, attempts, .. } = queue.settings;
                queue.settings = QueueSettings { in_flight, attempts, ..QueueSettings::default() };
            };
            match &mut read_by_codec {
                WorkServer::Board(board) => settings(&mut board.queue),
                WorkServer::Moved(moved) => settings(&mut moved.queue),
                _ => {}
            }
            match read(&text).expect(&text) {
                Some(frame) => assert_eq!(write_server(&frame), write_server(&read_by_codec)),
                None => {
                    assert!(matches!(read_by_codec, WorkServer::Consuming(_)), "{text}");
                    silent += 1;
                }
            }
        }
        assert!(silent <= 1);
    }

    #[test]
    fn every_place_and_every_state_is_read_by_its_name() {
        for place in Place::ALL {
            let told = serde_json::json!({ "place": place, "state": place.state() });
            assert_eq!(Of(&told).where_it_is(), Some(place));
            assert_eq!(Of(&told).state(), Some(place.state()));
        }
    }

    #[test]
    fn what_is_no_frame_is_told_from_a_newer_one() {
        assert!(matches!(read(r#"{"weather":{"rain":true}}"#), Some(None)));
        for text in
            ["", "{", "[]", "{}", r#"{"did":{}}"#, r#"{"did":{"req":-1}}"#, r#"{"a":1,"b":2}"#]
        {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
