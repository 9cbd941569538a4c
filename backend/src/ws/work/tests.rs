//! A connection whose socket takes no writes.

use super::*;
use crate::{
    limits::JOB_CALLS_AT_ONCE,
    queues::tests::{PATIENCE, enqueue, read, server, until},
};
use futures_util::{Sink, Stream, task::AtomicWaker};
use holdfast_common::{
    id::JobId,
    job::{JobState, Place},
};
use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicU8, Ordering::SeqCst},
    },
    task::{Context, Poll},
};
use tokio::task::JoinHandle;

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
