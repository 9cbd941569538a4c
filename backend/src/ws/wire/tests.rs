use super::*;
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// A socket that takes a number of messages and no more, and from which nothing comes.
struct Narrow(usize);

impl Stream for Narrow {
    type Item = Result<Message, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Pending
    }
}

impl Sink<Message> for Narrow {
    type Error = axum::Error;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        if self.0 == 0 { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn start_send(mut self: Pin<&mut Self>, _: Message) -> Result<(), axum::Error> {
        self.0 -= 1;
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        self.poll_ready(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        self.poll_ready(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_given_up_after_a_while() {
    let patience = Duration::from_secs(25);
    let started = tokio::time::Instant::now();
    let mut wire = Wire::new(Narrow(2), patience);
    assert_eq!(wire.feed(Message::text("one")).await, Ok(()));
    assert_eq!(wire.feed(Message::text("two")).await, Ok(()));
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(wire.feed(Message::text("three")).await, Err(Ended::By(Code::TooSlow)));
    assert_eq!(started.elapsed(), patience);
    wire.end(Ended::By(Code::TooSlow)).await;
    assert_eq!(started.elapsed(), patience + LINGER);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_where_nothing_waits() {
    let mut wire = Wire::new(Narrow(0), Duration::from_secs(25));
    assert_eq!(wire.flush().await, Ok(()));
}

#[test]
fn an_error_says_what_the_peer_did() {
    let large = CapacityError::MessageTooLong { size: 2, max_size: 1 };
    let of = |fault: Fault| meaning(axum::Error::new(fault));
    assert_eq!(of(Fault::Capacity(large)), Ended::Deaf(Code::FrameTooLarge));
    assert_eq!(of(Fault::Utf8(String::new())), Ended::Deaf(Code::BadFrame));
    assert_eq!(of(Fault::ConnectionClosed), Ended::Gone);
    assert_eq!(of(Fault::Io(std::io::ErrorKind::ConnectionReset.into())), Ended::Gone);
}
