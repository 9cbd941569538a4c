//! A file on its way to who asked for it.

use super::apart;
use crate::limits::EXPORT_PACE;
use futures_util::{Stream, stream};
use std::{
    io::{self, Read},
    time::Duration,
};
use tokio::{
    sync::{
        OwnedSemaphorePermit,
        mpsc::{self, Receiver, Sender},
    },
    time::{Instant, timeout_at},
};

/// Bytes that are read of a file at once.
const PIECE: usize = 64 * 1024;

type Piece = io::Result<Vec<u8>>;

/// See [`Whole::pieces`](super::shelf::Whole::pieces). A task reads, so that file and turn are let go of
/// in time though nobody asks for the next piece.
pub(super) fn pieces(
    file: impl Read + Send + 'static,
    bytes: u64,
    turn: OwnedSemaphorePermit,
    pace: Duration,
) -> impl Stream<Item = Piece> + Send {
    let (to, from) = mpsc::channel(1);
    tokio::spawn(async move {
        hand_on(file, to, pace).await;
        drop(turn);
    });
    stream::unfold(Some((from, bytes)), next)
}

/// Reads piece by piece, each when the one before it has been taken, until all is taken, nobody is there
/// any more, or less is taken within `pace` than has to be. What reading takes is no fault of who takes
/// it, and does not count.
async fn hand_on(mut file: impl Read + Send + 'static, to: Sender<Piece>, pace: Duration) {
    loop {
        let (mut until, mut taken) = (Instant::now() + pace, 0);
        while taken < EXPORT_PACE {
            let begun = Instant::now();
            let read = apart(move || {
                let mut piece = vec![0; PIECE];
                let length = file.read(&mut piece)?;
                piece.truncate(length);
                Ok((file, piece))
            });
            let piece = match read.await {
                Ok((_, piece)) if piece.is_empty() => return,
                Ok((read, piece)) => {
                    file = read;
                    Ok(piece)
                }
                Err(error) => return drop(to.send(Err(error)).await),
            };
            until += begun.elapsed();
            taken += PIECE;
            match timeout_at(until, to.send(piece)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return,
                Err(_) => return tracing::info!("who reads an export is too slow for it"),
            }
        }
    }
}

/// The next piece. That there is none though bytes are missing is an error: what was sent is not whole.
async fn next(
    coming: Option<(Receiver<Piece>, u64)>,
) -> Option<(Piece, Option<(Receiver<Piece>, u64)>)> {
    let (mut from, left) = coming?;
    match from.recv().await {
        Some(Ok(piece)) => {
            let left = left.saturating_sub(piece.len() as u64);
            Some((Ok(piece), Some((from, left))))
        }
        Some(Err(error)) => Some((Err(error), None)),
        None if left == 0 => None,
        None => Some((Err(io::ErrorKind::TimedOut.into()), None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt as _;
    use std::{pin::pin, sync::Arc};
    use tokio::{runtime::Handle, sync::Semaphore};

    const SECOND: Duration = Duration::from_secs(1);

    /// A file of so many pieces, and the places of which one is taken by who reads it.
    async fn begun(count: usize) -> (impl Stream<Item = Piece>, Arc<Semaphore>) {
        begun_on(io::Cursor::new(vec![7; count * PIECE]), count).await
    }

    async fn begun_on(
        file: impl Read + Send + 'static,
        count: usize,
    ) -> (impl Stream<Item = Piece>, Arc<Semaphore>) {
        let places = Arc::new(Semaphore::new(1));
        let turn = Arc::clone(&places).acquire_owned().await.unwrap();
        (pieces(file, (count * PIECE) as u64, turn, SECOND), places)
    }

    /// A file on a disk that takes long now and then.
    struct Slow(io::Cursor<Vec<u8>>, u32);

    impl Read for Slow {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            if self.1.is_multiple_of(10) {
                Handle::current().block_on(tokio::time::advance(2 * SECOND));
            }
            self.0.read(to)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_too_little_in_a_time_is_cut_and_its_place_is_free_though_it_waits_on() {
        let (pieces, places) = begun(100).await;
        let mut pieces = pin!(pieces);
        // Fast at first: what was taken then is not counted for later.
        for _ in 0..40 {
            assert_eq!(pieces.next().await.unwrap().unwrap().len(), PIECE);
        }
        assert_eq!(places.available_permits(), 0);
        let free = places.acquire();
        tokio::time::timeout(3 * SECOND, free).await.expect("the place is free").unwrap().forget();
        assert!(pieces.next().await.unwrap().is_ok(), "it was read before");
        let error = pieces.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(pieces.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_enough_in_each_time_gets_all_however_long_that_takes() {
        let (pieces, places) = begun(100).await;
        let (mut pieces, mut count) = (pin!(pieces), 0);
        while let Some(piece) = pieces.next().await {
            count += piece.unwrap().len() / PIECE;
            tokio::time::sleep(SECOND / 9).await;
        }
        assert_eq!(count, 100);
        let free = places.acquire();
        assert!(tokio::time::timeout(SECOND, free).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_disk_is_no_fault_of_who_reads() {
        let slow = Slow(io::Cursor::new(vec![7; 40 * PIECE]), 0);
        let (pieces, _places) = begun_on(slow, 40).await;
        let (mut pieces, begun, mut count) = (pin!(pieces), Instant::now(), 0);
        while let Some(piece) = pieces.next().await {
            count += piece.unwrap().len() / PIECE;
            tokio::time::sleep(SECOND / 9).await;
        }
        assert_eq!(count, 40);
        assert!(begun.elapsed() >= 8 * SECOND);
    }
}
