//! Readers of exports that take nothing.

use super::{Exports, begin, exports, file, until};
use crate::rig::{PATIENCE, Rig};
use holdfast_backend::{app::Builder, engine::memory::MemoryEngine};
use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

/// How many may read at once.
const READS: usize = 16;
/// Far more than is on its way to one who takes nothing.
const BYTES: usize = 32 * 1024 * 1024;
/// The start of an answer.
const HEAD: &[u8] = b"HTTP/1.1 200 OK";
/// That of one who has to come again.
const FULL: &[u8] = b"HTTP/1.1 503 Ser".split_at(HEAD.len()).0;

/// Asks for the file, and takes no more than that it comes; `None` where all places are taken.
async fn takes_nothing(rig: &Rig, job: &str) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let mut stream = socket.connect(rig.address).await.unwrap();
    let path = format!("/api/v1/holdfast/exports/{job}");
    let ask = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", rig.address);
    stream.write_all(ask.as_bytes()).await.unwrap();
    let mut head = vec![0; HEAD.len()];
    stream.read_exact(&mut head).await.unwrap();
    let text = String::from_utf8_lossy(&head);
    assert!(head == HEAD || head == FULL, "{text}");
    (head == HEAD).then_some(stream)
}

#[tokio::test]
async fn readers_that_take_nothing_keep_their_places_for_no_longer_than_a_reader_may_be_slow() {
    let folder = tempfile::tempdir().unwrap();
    let to = Exports { pace: Duration::from_secs(3), ..exports(folder.path()) };
    let name = to.folder.clone();
    let build = |builder: Builder| builder.exports(to);
    let rig = Rig::start(Arc::new(MemoryEngine::new()), None, build).await;
    let job = begin(rig.address).await;
    until(rig.address, &job, "done").await;
    let whole = fs::read_dir(name).unwrap().next().unwrap().unwrap().path();
    fs::write(whole, vec![b'x'; BYTES]).unwrap();
    let (mut readers, begun) = (Vec::new(), Instant::now());
    // Where that takes long, the first are cut before the last are there.
    while let Some(reader) = takes_nothing(&rig, &job).await {
        readers.push(reader);
        assert!(begun.elapsed() < PATIENCE, "{} read at once", readers.len());
    }
    assert!(readers.len() >= READS);
    let begun = Instant::now();
    let got = loop {
        let got = file(rig.address, &job).await;
        if got.status == 200 {
            break got;
        }
        assert!(begun.elapsed() < PATIENCE, "{}", got.text());
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(got.body.len(), BYTES, "who reads on is not cut");
    let mut cut = Vec::new();
    let read = tokio::time::timeout(PATIENCE, readers[0].read_to_end(&mut cut)).await;
    assert!(read.is_ok() && cut.len() < BYTES, "it is told that this is not all");
}
