//! `holdfast export NAMESPACE ROOM`: has a server that runs write a room's log, and prints it.

use super::{
    NotDone,
    ask::{Answer, Server},
};
use clap::Args;
use serde_json::{Value, json};
use std::{
    io,
    time::{Duration, Instant},
};

/// How long it waits before it asks again how far the server is.
const PAUSE: Duration = Duration::from_millis(250);

/// How long a server may be away that has the job.
const AWAY: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Args)]
pub(crate) struct ExportOptions {
    /// The server to ask
    #[arg(long, default_value = "http://127.0.0.1:3000", value_name = "URL")]
    server: String,
    /// The room's namespace
    namespace: String,
    /// The room's name
    room: String,
}

/// A room that was asked for on the command line.
#[derive(Debug, Clone)]
pub struct AskedRoom(ExportOptions);

impl AskedRoom {
    pub(crate) const fn new(options: ExportOptions) -> Self {
        Self(options)
    }

    /// Has the server write the room's log, waits for it, and copies it. Who reads what was copied goes by
    /// its last line: where this fails there is none.
    ///
    /// # Errors
    /// The server cannot be asked or says no, or what it sends cannot be written.
    pub async fn carry_out(self, to: &mut impl io::Write) -> Result<(), NotDone> {
        let Self(ExportOptions { server, namespace, room }) = self;
        let server = Server::new(&server)?;
        let asked = server.post(&[&namespace, "rooms", &room, "export"], &json!({}), None).await?;
        let job = value(&asked)["job"].as_str().unwrap_or_default().to_owned();
        let mut heard = Instant::now();
        loop {
            let now = match server.get(&["holdfast", "jobs", &job], &[]).await {
                // It may be starting again: the job goes on then.
                Err(NotDone::NotAsked(_)) if heard.elapsed() < AWAY => {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
                answer => value(&answer?),
            };
            heard = Instant::now();
            match now["state"].as_str() {
                Some("done") => break,
                Some("ready" | "leased") => tokio::time::sleep(PAUSE).await,
                other => return Err(ended(&now, other.unwrap_or("unknown"))),
            }
        }
        server.copy(&["holdfast", "exports", &job], to).await
    }
}

fn ended(job: &Value, state: &str) -> NotDone {
    let member = |name: &str| job["failure"][name].as_str().unwrap_or_default().to_owned();
    match member("code") {
        code if code.is_empty() => NotDone::Wrong(format!("the export is {state}")),
        code => NotDone::Refused { code, text: member("detail") },
    }
}

fn value(answer: &Answer) -> Value {
    serde_json::from_str(&answer.text).unwrap_or(Value::Null)
}
