//! Durable acked emits a second: each writer in a room of its own, one event under way at a time.

use crate::{Outcome, client::Client, fsync, server::Server};
use futures_util::SinkExt;
use holdfast_common::id::RoomId;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

const LENGTH: Duration = Duration::from_secs(4);
const TEXT: &str = "{\"text\":\"0123456789012345678901234567890123456789012345678901234567890123\
    4567890123456789012345678901234567890123456789012345678\"}";

pub(crate) async fn run() -> Outcome<()> {
    println!("durable acked emits (128-byte payloads, a room for each writer)");
    println!(
        "{:>8} {:>12} {:>14} {:>16} {:>10}",
        "writers", "acked/s", "fdatasync/s", "acked per sync", "p50 ms"
    );
    for writers in [1, 64, 1024] {
        let server = Server::start(&[])?;
        let before = fsync::rate(server.folder(), Duration::from_secs(1))?;
        let (rate, middle) = measure(&server, writers).await?;
        let after = fsync::rate(server.folder(), Duration::from_secs(1))?;
        let disk = f64::midpoint(before, after);
        println!("{writers:>8} {rate:>12.0} {disk:>14.0} {:>16.2} {middle:>10.2}", rate / disk);
    }
    println!();
    Ok(())
}

async fn measure(server: &Server, writers: usize) -> Outcome<(f64, f64)> {
    let acked = Arc::new(AtomicU64::new(0));
    let mut clients = Vec::new();
    for _ in 0..writers {
        clients.push(Client::connect(&server.address).await?);
    }
    // Each new room is told to everybody: before the clock runs.
    let mut writers = JoinSet::new();
    for client in clients {
        writers.spawn(create(client));
    }
    let writers = writers.join_all().await.into_iter().collect::<Outcome<Vec<_>>>()?;
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for (client, room) in writers {
        tasks.spawn(write(client, room, Arc::clone(&acked), start + LENGTH));
    }
    let mut waits = Vec::new();
    while let Some(done) = tasks.join_next().await {
        waits.extend(done??);
    }
    let rate = acked.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
    waits.sort_unstable();
    let middle = waits.get(waits.len() / 2).copied().unwrap_or_default();
    Ok((rate, middle.as_secs_f64() * 1000.0))
}

/// The writer in a room of its own.
async fn create(mut client: Client) -> Outcome<(Client, RoomId)> {
    client.window = 1;
    let room = Client::room();
    let created = client.emit(room, "room_created", &format!("{{\"name\":\"{room}\"}}"));
    client.out.send(created).await?;
    client.until(|text| text.starts_with("{\"ack\"")).await?;
    Ok((client, room))
}

async fn write(
    mut client: Client,
    room: RoomId,
    acked: Arc<AtomicU64>,
    end: Instant,
) -> Outcome<Vec<Duration>> {
    let mut waits = Vec::new();
    while Instant::now() < end {
        let sent = Instant::now();
        let emit = client.emit(room, "message", TEXT);
        client.out.send(emit).await?;
        client.until(|text| text.starts_with("{\"ack\"")).await?;
        waits.push(sent.elapsed());
        acked.fetch_add(1, Ordering::Relaxed);
    }
    Ok(waits)
}
