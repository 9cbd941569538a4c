//! `holdfast export NAMESPACE ROOM`: has a server that runs write a room's log, and prints it.

use super::{
    NotDone,
    ask::{Answer, Copied, Server},
    patience::{Patience, TRY},
};
use crate::clock;
use clap::Args;
use serde_json::{Value, json};
use std::{io, time::Duration};

/// How long it waits before it asks again.
const PAUSE: Duration = Duration::from_millis(250);

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

    /// Has the server write the room's log, waits for it, and copies it; what broke off goes on where it
    /// was. Who reads what was copied goes by its last line: where this fails there is none.
    ///
    /// # Errors
    /// The server cannot be asked or says no, or what it sends cannot be written.
    pub async fn carry_out(self, to: &mut impl io::Write) -> Result<(), NotDone> {
        let Self(ExportOptions { server, namespace, room }) = self;
        let server = Server::new(&server)?.within(TRY);
        let mut patience = Patience::begin();
        let job = asked(&server, &mut patience, &[&namespace, "rooms", &room, "export"]).await?;
        done(&server, &mut patience, &job).await?;
        copy(&server, &mut patience, &job, to).await
    }
}

/// Has it written, by the job that this returns.
async fn asked(
    server: &Server,
    patience: &mut Patience,
    address: &[&str],
) -> Result<String, NotDone> {
    // Whatever comes of the answers, it is asked for once.
    let key = clock::fresh_job().map_err(|fault| NotDone::Wrong(fault.to_string()))?.to_string();
    let mut known = false;
    loop {
        match server.post(address, &json!({}), Some(&key)).await {
            Ok(answer) => {
                patience.heard();
                return Ok(value(&answer)["job"].as_str().unwrap_or_default().to_owned());
            }
            // Who was never heard may be nobody.
            Err(why @ NotDone::NotAsked(_)) if !known => return Err(why),
            Err(why) => patience.again(why).await?,
        }
        known = true;
    }
}

/// Waits until it is written.
async fn done(server: &Server, patience: &mut Patience, job: &str) -> Result<(), NotDone> {
    loop {
        let now = match server.get(&["holdfast", "jobs", job], &[]).await {
            Err(why) => {
                patience.again(why).await?;
                continue;
            }
            Ok(answer) => value(&answer),
        };
        patience.heard();
        match now["state"].as_str() {
            Some("done") => return Ok(()),
            Some("ready" | "leased") => tokio::time::sleep(PAUSE).await,
            other => return Err(ended(&now, other.unwrap_or("unknown"))),
        }
    }
}

async fn copy(
    server: &Server,
    patience: &mut Patience,
    job: &str,
    to: &mut impl io::Write,
) -> Result<(), NotDone> {
    let mut copied = Copied::default();
    loop {
        let before = copied;
        let Err(why) = server.copy(&["holdfast", "exports", job], to, &mut copied).await else {
            return Ok(());
        };
        if copied.come > before.come {
            patience.heard_some(copied.written > before.written);
        }
        patience.again(why).await?;
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
