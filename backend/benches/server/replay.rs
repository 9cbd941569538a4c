//! One client that missed ten thousand events.

use crate::{Outcome, client::Client, server::Server};
use futures_util::SinkExt;
use holdfast_common::{
    codec,
    cursor::Cursor,
    frame::{RoomCursor, ServerFrame},
};
use std::time::Instant;

const EVENTS: usize = 10_000;
const WINDOW: usize = 64;

pub(crate) async fn run() -> Outcome<()> {
    let server = Server::start(&["--replay-events", "20000"])?;
    let mut writer = Client::greet(&server.address, Vec::new()).await?;
    let first = writer.until(|text| text.starts_with("{\"entries\"")).await?;
    let Some(ServerFrame::Entries(first)) = codec::read_server(&first)? else {
        return Err("no entries".into());
    };
    let entry = first.entries.last().ok_or("an empty frame")?;
    let cursor = Cursor { epoch: first.epoch, offset: entry.offset, mark: entry.mark };
    let text = format!("{{\"text\":\"{}\"}}", "x".repeat(128));
    let room = writer.lobby;
    let mut under_way = 0;
    for _ in 0..EVENTS {
        if under_way == WINDOW {
            writer.until(|text| text.starts_with("{\"ack\"")).await?;
            under_way -= 1;
        }
        let emit = writer.emit(room, "message", &text);
        writer.out.send(emit).await?;
        under_way += 1;
    }
    for _ in 0..under_way {
        writer.until(|text| text.starts_with("{\"ack\"")).await?;
    }
    let start = Instant::now();
    let mut reader = Client::greet(&server.address, vec![RoomCursor { room, cursor }]).await;
    // A new person is not a member of the lobby before the first hello: the cursor counts all the same.
    let reader = reader.as_mut().map_err(|fault| fault.to_string())?;
    let mut seen = 0;
    while seen < EVENTS {
        let text = reader.text().await?;
        if text.starts_with("{\"page\"") {
            return Err("a page came in place of the replay".into());
        }
        if text.starts_with("{\"entries\"") {
            seen += text.matches("\"mark\":").count();
        }
    }
    let took = start.elapsed();
    println!(
        "replay of {EVENTS} missed events: {:.0} ms, connection and hello included ({:.0} events/s)\n",
        took.as_secs_f64() * 1e3,
        EVENTS as f64 / took.as_secs_f64()
    );
    Ok(())
}
