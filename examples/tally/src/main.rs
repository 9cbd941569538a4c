//! Counting things together: an axum application with routes of its own that mounts Holdfast with a
//! namespace of its own, appends durable events with typed replies, and emits to every target.
//!
//! `cargo run -p tally`, then `curl -X POST http://127.0.0.1:4000/count/3`.

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};
use events::{Cheered, CountRefused, Counted, Rules, Serve, Tallied};
use holdfast_backend::{
    app::{Builder, Emitted, Handle, NotEmitted},
    engine::memory::MemoryEngine,
};
use holdfast_common::{
    event::{Decision, Facts, No},
    id::{PersonId, RoomId},
    limits::Limits,
};
use std::{error::Error, sync::Arc};
use tokio::net::TcpListener;

/// What may happen here, declared once. A page would use the same declaration.
mod events {
    use holdfast_common::event::Effect;
    use serde::{Deserialize, Serialize};

    /// Something was counted.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Counted {
        /// By how much.
        pub by: i64,
    }

    /// The reply to [`Counted`].
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Tallied {
        /// Whether the step was an even one.
        pub even: bool,
    }

    /// Why a count is refused.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
    pub enum CountRefused {
        /// Nothing was counted.
        #[error("Nothing was counted.")]
        Nothing,
    }

    /// Somebody cheers. Volatile: whoever is not there misses it.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Cheered {
        /// Whom.
        pub whom: String,
    }

    holdfast_common::namespace! {
        /// Counting things.
        Tally = "tally";
        durable {
            /// Something was counted.
            Counted = "counted", counted -> Tallied, CountRefused,
                counts: true, effect: |_| Effect::Adds;
        }
        volatile {
            Cheered = "cheered";
        }
        latest {}
    }
}

/// The rule: a step of nothing is no step.
struct Counting;

impl Rules for Counting {
    fn counted(&self, event: &Counted, _: &Facts, _: &Limits) -> Decision<Counted> {
        match event.by {
            0 => Err(No::Because(CountRefused::Nothing)),
            by => Ok(Tallied { even: by % 2 == 0 }),
        }
    }
}

#[derive(Clone)]
struct Sheep {
    holdfast: Handle,
    room: RoomId,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (router, holdfast) = Builder::new(Arc::new(MemoryEngine::new()))
        .namespace(Serve(Counting))
        .welcome_room("tally", "sheep")
        .name("tally")
        .build()
        .await?;
    let room = holdfast.room("tally", "sheep").await?;
    let own = Router::new()
        .route("/count/{by}", post(count))
        .route("/count/{by}/{person}", post(count_for))
        .route("/cheer/{*whom}", post(cheer))
        .with_state(Sheep { holdfast, room });
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, router.merge(own)).await?)
}

async fn count(State(sheep): State<Sheep>, Path(by): Path<i64>) -> (StatusCode, String) {
    told(sheep.holdfast.emit_to_room(sheep.room, &Counted { by }).await)
}

type CountFor = Path<(i64, PersonId)>;

async fn count_for(State(sheep): State<Sheep>, Path((by, who)): CountFor) -> (StatusCode, String) {
    told(sheep.holdfast.emit_to_person(who, &Counted { by }).await)
}

fn told(counted: Result<Emitted<Tallied>, NotEmitted<CountRefused>>) -> (StatusCode, String) {
    match counted {
        Ok(emitted) => {
            let step = if emitted.reply.even { "even" } else { "odd" };
            (StatusCode::OK, format!("an {step} step, at offset {}", emitted.offset))
        }
        Err(NotEmitted::Refused(why)) => (StatusCode::UNPROCESSABLE_ENTITY, why.to_string()),
        Err(NotEmitted::Code(code)) => (StatusCode::NOT_FOUND, code.text().to_owned()),
        Err(other) => (StatusCode::SERVICE_UNAVAILABLE, other.to_string()),
    }
}

async fn cheer(State(sheep): State<Sheep>, Path(path): Path<String>) -> StatusCode {
    let (whom, id) = path.split_once('/').unwrap_or((&path, ""));
    let event = Cheered { whom: whom.to_owned() };
    match (whom, id.parse(), id.parse()) {
        ("connection", Ok(connection), _) => sheep.holdfast.signal_connection(connection, &event),
        ("person", _, Ok(person)) => sheep.holdfast.signal_person(person, &event),
        ("room", ..) => sheep.holdfast.signal_room(sheep.room, &event),
        ("others", Ok(by), _) => sheep.holdfast.signal_room_but(sheep.room, by, &event),
        ("namespace", ..) => sheep.holdfast.signal_namespace(&event),
        ("everyone", ..) => sheep.holdfast.signal_everyone(&event),
        _ => return StatusCode::NOT_FOUND,
    }
    StatusCode::ACCEPTED
}
