//! A shop: each order is an event, and its boxes are packed as a job that comes with it.
//!
//! `cargo run -p packing`, then `curl -X POST http://127.0.0.1:4001/order/3` and
//! `curl http://127.0.0.1:4001/api/v1/shop/rooms/floor/events`.

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};
use holdfast_backend::{
    app::{Builder, Handle, NotEmitted},
    domain::work::WorkRules,
    engine::memory::MemoryEngine,
    worker::{Leased, NotTold, Outcome, Worker},
};
use holdfast_common::{
    event::{Decision, Facts, No},
    id::RoomId,
    job::Work,
    limits::Limits,
    time::Millis,
    work,
};
use shop::{Event, NotPacked, Ordered, Pack, Packed, Rules, Serve, TooMany, queues};
use std::{error::Error, sync::Arc};
use tokio::net::TcpListener;

/// What may happen here and what may be done, declared once.
mod shop {
    use holdfast_common::event::Effect;
    use serde::{Deserialize, Serialize};

    /// Boxes are wanted.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Ordered {
        /// How many.
        pub boxes: u32,
    }

    /// Why an order is refused.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
    #[error("No order has more than 9 boxes.")]
    pub struct TooMany;

    /// Boxes to be packed.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Pack {
        /// How many.
        pub boxes: u32,
    }

    /// Boxes are packed.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Packed {
        /// How many.
        pub boxes: u32,
    }

    /// Why boxes are not packed.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
    #[error("{0}")]
    pub struct NotPacked(pub String);

    holdfast_common::namespace! {
        /// A shop.
        Shop = "shop";
        durable {
            /// Boxes are wanted.
            Ordered = "ordered", ordered -> (), TooMany, counts: true, effect: |_| Effect::Adds;
            /// Boxes are packed.
            Packed = "packed", packed -> (), String, counts: true, effect: |_| Effect::Adds;
        }
        volatile {}
        latest {}
    }

    holdfast_common::queues! {
        "shop" / "packing" { Pack = "pack" -> Packed, NotPacked; }
    }
}

struct ShopRules;

impl Rules for ShopRules {
    fn ordered(&self, event: &Ordered, _: &Facts, _: &Limits) -> Decision<Ordered> {
        if event.boxes > 9 { Err(No::Because(TooMany)) } else { Ok(()) }
    }

    fn packed(&self, _: &Packed, _: &Facts, _: &Limits) -> Decision<Packed> {
        Ok(())
    }

    fn work(&self, event: &Event, _: &Facts, work: &mut Work) {
        if let Event::Ordered(Ordered { boxes }) = event {
            work.enqueue(&Pack { boxes: *boxes }).group = Some("ward-7".to_owned());
        }
    }
}

struct Packer;

impl Worker for Packer {
    type Job = Pack;

    async fn run(&self, job: &mut Leased<Pack>) -> Outcome<Pack> {
        let boxes = job.data.boxes;
        if boxes == 0 {
            // No other attempt would find one.
            return Outcome::Dead(NotPacked("There is no box.".to_owned()));
        }
        for packed in 0..boxes {
            let percent = u8::try_from(100 * packed / boxes).unwrap_or(100);
            // Where the lease is lost this is dropped. How far it is matters less than getting there.
            if let Err(NotTold::Fault(fault)) = job.progress(percent, None).await {
                eprintln!("nobody hears how far {} is: {fault}", job.id());
            }
        }
        // With the end, if it is `Done`, or not at all.
        job.emit("floor", &Packed { boxes });
        Outcome::Done(Packed { boxes })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (router, holdfast) = Builder::new(Arc::new(MemoryEngine::new()))
        .namespace(Serve(ShopRules))
        // In whose inboxes those who ask for jobs find what became of them.
        .namespace(work::Serve(WorkRules))
        .queues(queues())
        // Two jobs at once.
        .worker(Packer, 2)
        .build()
        .await?;
    // Where it is packed and said. It is made at the first start.
    let floor = holdfast.room("shop", "floor").await?;

    holdfast.enqueue(&Pack { boxes: 2 }).await?;
    holdfast.enqueue_with(&Pack { boxes: 3 }, |job| job.delay = Millis(60_000)).await?;
    // In the same words it is left as it is, so it may be said at each start.
    holdfast.schedule("nightly", "0 3 * * *", &Pack { boxes: 1 }).await?;

    let own = Router::new().route("/order/{boxes}", post(order)).with_state((holdfast, floor));
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4001".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, router.merge(own)).await?)
}

async fn order(
    State((holdfast, floor)): State<(Handle, RoomId)>,
    Path(boxes): Path<u32>,
) -> (StatusCode, String) {
    match holdfast.emit_to_room(floor, &Ordered { boxes }).await {
        Ok(ordered) => (StatusCode::OK, format!("ordered, at offset {}", ordered.offset)),
        Err(NotEmitted::Refused(why)) => (StatusCode::UNPROCESSABLE_ENTITY, why.to_string()),
        Err(other) => (StatusCode::SERVICE_UNAVAILABLE, other.to_string()),
    }
}
