//! Fan-out: one writer with a full window, and a room of members who only listen.

use crate::{Outcome, client::Client, server::Server};
use futures_util::{SinkExt, StreamExt};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

/// Deliveries in each round, about.
const DELIVERIES: usize = 200_000;
/// Events the writer has under way.
const WINDOW: usize = 32;

pub(crate) async fn run() -> Outcome<()> {
    println!("fan-out (128-byte texts; the listeners share this machine with the server)");
    println!(
        "{:>8} {:>8} {:>14} {:>26}",
        "members", "events", "deliveries/s", "server CPU s per million"
    );
    for members in [1, 10, 100, 1000] {
        let events = (DELIVERIES / members).clamp(200, 5_000);
        let server = Server::start(&[])?;
        let (took, cpu) = measure(&server, members, events).await?;
        let deliveries = (members * events) as f64;
        println!(
            "{members:>8} {events:>8} {:>14.0} {:>26.2}",
            deliveries / took.as_secs_f64(),
            cpu.as_secs_f64() / deliveries * 1e6
        );
    }
    println!();
    Ok(())
}

async fn measure(server: &Server, members: usize, events: usize) -> Outcome<(Duration, Duration)> {
    let mut writer = Client::connect(&server.address).await?;
    let got = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..members {
        let client = Client::connect(&server.address).await?;
        tasks.spawn(listen(client, events, Arc::clone(&got)));
    }
    let (start, before) = (Instant::now(), server.cpu()?);
    let room = writer.lobby;
    let text = format!("{{\"text\":\"{}\"}}", "x".repeat(128));
    let mut under_way = 0;
    for _ in 0..events {
        while under_way >= WINDOW {
            writer.until(|text| text.starts_with("{\"ack\"")).await?;
            under_way -= 1;
        }
        let emit = writer.emit(room, "message", &text);
        writer.out.send(emit).await?;
        under_way += 1;
    }
    while under_way > 0 {
        writer.until(|text| text.starts_with("{\"ack\"")).await?;
        under_way -= 1;
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok((start.elapsed(), server.cpu()?.saturating_sub(before)))
}

/// Counts entries until all have come; each one's mark begins a new entry.
async fn listen(mut client: Client, events: usize, got: Arc<AtomicU64>) -> Outcome<()> {
    let mut seen = 0;
    while seen < events {
        let message = client.frames.next().await.ok_or("the server closed")??;
        if let Message::Text(text) = message
            && text.starts_with("{\"entries\"")
        {
            let entries = text.matches("\"mark\":").count();
            seen += entries;
            got.fetch_add(entries as u64, Ordering::Relaxed);
        }
    }
    Ok(())
}
