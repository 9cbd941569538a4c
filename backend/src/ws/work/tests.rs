//! A connection whose socket takes no writes.

mod rights;

use super::*;
use crate::{
    engine::sqlite::{Commits, Options, SqliteEngine},
    limits::JOB_CALLS_AT_ONCE,
    queues::tests::{PATIENCE, enqueue, over, read, server, until},
};
use futures_util::{Sink, Stream, task::AtomicWaker};
use holdfast_common::{
    id::JobId,
    job::{JobState, Place},
    storage::{
        Fault,
        jobs::{By, Chosen, Deed},
    },
};
use rusqlite::{Connection as Database, Error, ffi};
use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU8, Ordering::SeqCst},
    },
    task::{Context, Poll},
};
use tokio::{task::JoinHandle, time::sleep};

/// After which a client is taken for dead.
const SILENCE: Duration = Duration::from_secs(25);

const OPEN: u8 = 0;
const STUCK: u8 = 1;
const CUT: u8 = 2;

/// Both ends of a connection.
#[derive(Default)]
struct Line {
    state: AtomicU8,
    reader: AtomicWaker,
    writer: AtomicWaker,
    said: Mutex<VecDeque<String>>,
    /// What waits for the socket to take it, and what it took.
    waits: Mutex<Vec<String>>,
    heard: Mutex<Vec<String>>,
}

impl Line {
    fn say(&self, text: impl Into<String>) {
        self.said.lock().unwrap().push_back(text.into());
        self.reader.wake();
    }

    fn turns(&self, state: u8) {
        self.state.store(state, SeqCst);
        self.reader.wake();
        self.writer.wake();
    }

    fn waits_for(&self, frame: &str) -> bool {
        self.waits.lock().unwrap().iter().any(|text| text.contains(frame))
    }

    fn heard(&self, frame: &str) -> bool {
        self.heard.lock().unwrap().iter().any(|text| text.contains(frame))
    }
}

struct End(Arc<Line>);

impl Stream for End {
    type Item = Result<Message, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.reader.register(cx.waker());
        if let Some(text) = self.0.said.lock().unwrap().pop_front() {
            return Poll::Ready(Some(Ok(Message::Text(text.into()))));
        }
        if self.0.state.load(SeqCst) == CUT { Poll::Ready(None) } else { Poll::Pending }
    }
}

impl Sink<Message> for End {
    type Error = axum::Error;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), axum::Error> {
        let text = message.to_text().unwrap_or_default().to_owned();
        self.0.waits.lock().unwrap().push(text);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        self.0.writer.register(cx.waker());
        match self.0.state.load(SeqCst) {
            OPEN => {
                let mut waits = self.0.waits.lock().unwrap();
                self.0.heard.lock().unwrap().append(&mut waits);
                Poll::Ready(Ok(()))
            }
            STUCK => Poll::Pending,
            _ => Poll::Ready(Err(axum::Error::new(std::io::Error::other("cut")))),
        }
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        self.poll_flush(cx)
    }
}

/// A connection that was greeted.
async fn connected(shared: &Arc<Shared>) -> (Arc<Line>, JoinHandle<()>) {
    let line = Arc::<Line>::default();
    line.say(r#"{"hello":{"name":"printer"}}"#);
    let run = run(End(Arc::clone(&line)), Arc::clone(shared), ConnectionId::NIL);
    let run = tokio::spawn(run);
    until(async || line.heard("welcome")).await;
    (line, run)
}

const CONSUME: &str = r#"{"consume":{"req":1,"ns":"work","queue":"inbox","credit":9}}"#;

#[tokio::test]
async fn a_job_that_was_not_written_to_a_socket_that_is_cut_is_there_again_and_no_attempt_is_lost()
{
    let shared = server().await;
    let (line, run) = connected(&shared).await;
    line.say(CONSUME);
    until(async || line.heard("consuming")).await;
    enqueue(&shared, [1]).await;
    until(async || line.heard("leased")).await;
    line.turns(STUCK);
    enqueue(&shared, [2]).await;
    until(async || line.waits_for("leased")).await;
    assert_eq!(read(&shared, 2).await.place, Place::Leased);
    line.turns(CUT);
    run.await.unwrap();
    let (told, untold) = (read(&shared, 1).await, read(&shared, 2).await);
    assert_eq!((told.place, told.attempt), (Place::Leased, 1), "its lease runs on");
    assert_eq!((untold.place, untold.attempt), (Place::Ready, 0));
}

#[tokio::test]
async fn a_job_that_is_written_with_a_close_is_held_and_one_that_is_not_is_there_again() {
    for (state, place) in [(OPEN, JobState::Leased), (STUCK, JobState::Ready)] {
        let shared = server().await;
        let (line, run) = connected(&shared).await;
        line.say(CONSUME);
        until(async || line.heard("consuming")).await;
        line.turns(state);
        enqueue(&shared, [1]).await;
        until(async || line.heard("leased") || line.waits_for("leased")).await;
        line.say("no frame");
        if state == STUCK {
            line.turns(CUT);
        } else {
            until(async || line.said.lock().unwrap().is_empty()).await;
        }
        tokio::time::timeout(PATIENCE, run).await.unwrap().unwrap();
        assert_eq!(read(&shared, 1).await.place.state(), place);
    }
}

#[tokio::test(start_paused = true)]
async fn who_takes_late_what_is_written_is_not_taken_for_silent() {
    let shared = server().await;
    let (line, run) = connected(&shared).await;
    line.turns(STUCK);
    line.say(r#"{"ping":{"n":1}}"#);
    until(async || line.waits_for("pong")).await;
    // Nothing is read meanwhile: what the client says does not count, and neither does its silence.
    sleep(SILENCE - Duration::from_secs(5)).await;
    line.turns(OPEN);
    sleep(Duration::from_secs(10)).await;
    line.say(r#"{"ping":{"n":2}}"#);
    until(async || line.heard(r#""n":2"#) || run.is_finished()).await;
    assert!(!run.is_finished(), "it was closed");
}

#[tokio::test(start_paused = true)]
async fn what_is_here_when_the_time_is_over_has_come_in_time() {
    let shared = server().await;
    // Which of two that are ready is taken is a matter of chance.
    for _ in 0..16 {
        let (line, run) = connected(&shared).await;
        sleep(SILENCE - Duration::from_secs(1)).await;
        // It is here, and nobody has looked.
        line.said.lock().unwrap().push_back(r#"{"ping":{"n":1}}"#.to_owned());
        sleep(Duration::from_secs(2)).await;
        until(async || line.heard("pong") || run.is_finished()).await;
        assert!(line.heard("pong"), "it was closed");
    }
}

/// Commits of which the next one that writes is done, and said not to be.
#[derive(Clone, Default)]
struct Doubtful {
    next: Arc<AtomicBool>,
    written: u64,
}

impl Commits for Doubtful {
    fn commit(&mut self, db: &Database) -> rusqlite::Result<()> {
        db.execute_batch("COMMIT")?;
        let before = std::mem::replace(&mut self.written, db.total_changes());
        if self.written == before || !self.next.swap(false, SeqCst) {
            return Ok(());
        }
        Err(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None))
    }
}

#[tokio::test]
async fn who_loses_a_job_by_what_nobody_can_say_was_done_is_told() {
    let (folder, doubtful) = (tempfile::tempdir().unwrap(), Doubtful::default());
    let options = Options { commits: Box::new(doubtful.clone()), ..Options::default() };
    let engine = SqliteEngine::open_with(folder.path(), options).unwrap();
    let shared = over(Arc::new(engine)).await;
    let (line, _) = connected(&shared).await;
    line.say(CONSUME);
    until(async || line.heard("consuming")).await;
    enqueue(&shared, [1]).await;
    until(async || line.heard("leased")).await;
    let job = read(&shared, 1).await.id;
    let by = By { person: crate::http::events::service(), name: "Ada".to_owned() };
    doubtful.next.store(true, SeqCst);
    let cancelled = shared.queues.desk.govern(by, Deed::Cancel(Chosen::One(job))).await;
    assert!(matches!(cancelled, Err(Fault::Unknown(_))), "{cancelled:?}");
    until(async || line.heard("lost")).await;
    assert_eq!(read(&shared, 1).await.place, Place::Cancelled);
}

#[tokio::test]
async fn sockets_that_take_nothing_hold_no_turns_of_others() {
    let shared = server().await;
    let desk = &shared.queues.desk;
    let mut turns = Vec::new();
    for _ in 0..JOB_CALLS_AT_ONCE {
        turns.push(desk.turn().await.unwrap());
    }
    // More requests than there are turns wait for one, of each connection in turn.
    let mut lines = Vec::new();
    for _ in 0..2 * JOB_CALLS_AT_ONCE / 64 {
        lines.push(connected(&shared).await);
    }
    for req in 1..=64_u8 {
        for (n, (line, _)) in (1..).zip(&lines) {
            let id = JobId::new(n, &[req; 10]);
            let ask = format!(
                r#"{{"enqueue":{{"req":{req},"id":"{id}","ns":"work","queue":"inbox","type":"task"}}}}"#
            );
            line.say(ask + "\n{\"title\":\"x\"}");
        }
        until(async || lines.iter().all(|(line, _)| line.said.lock().unwrap().is_empty())).await;
    }
    // Each has one answer that its socket does not take, and the rest get their turns then.
    for (line, _) in &lines {
        line.turns(STUCK);
    }
    until(async || {
        turns.pop();
        lines.iter().all(|(line, _)| line.waits_for("enqueued"))
    })
    .await;
    drop(turns);
    enqueue(&shared, [9_999]).await;
    for (line, run) in lines {
        line.turns(CUT);
        tokio::time::timeout(PATIENCE, run).await.unwrap().unwrap();
    }
}
