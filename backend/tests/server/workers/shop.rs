//! A shop: orders come as events, and boxes are packed as jobs.

use holdfast_backend::worker::{Leased, Outcome, Worker};
use holdfast_common::{
    event::{Decision, Effect, Facts, No},
    id::{JobId, RoomId},
    job::{Work, limits::END_EVENTS},
    limits::Limits,
    system::Export,
    time::Millis,
};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;

/// The room in which they work.
pub const FLOOR: &str = "floor";

/// Boxes are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordered {
    pub boxes: u32,
}

/// Boxes are packed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    pub boxes: u32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl Packed {
    const fn of(boxes: u32) -> Self {
        Self { boxes, note: String::new() }
    }

    /// One whose JSON has so many bytes.
    fn long(bytes: usize) -> Self {
        let note = "x".repeat(bytes - r#"{"boxes":0,"note":""}"#.len());
        Self { boxes: 0, note }
    }
}

/// What no worker here does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpack {}

/// What a packer is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pack {
    pub todo: Todo,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Todo {
    /// Each box is then looked after by a job of its own.
    Pack {
        boxes: u32,
    },
    /// Until it is told to go on.
    Wait,
    /// The same, with a proper event and a further job that it wants before.
    WaitToSay,
    /// What is packed is said elsewhere.
    SayIn {
        room: String,
    },
    Fail {
        fatal: bool,
    },
    /// For good, with a failure of so many bytes.
    FailAtLength {
        bytes: usize,
    },
    /// A further job is the export of this room.
    Export {
        room: RoomId,
    },
    Panic,
    /// For ever, by a snooze or by handing it back.
    Later {
        snooze: bool,
    },
    /// A proper event, and a result of so many bytes.
    Write {
        bytes: usize,
    },
    /// A proper event, and one that is refused.
    SayTooMuch,
    /// Proper events, and more of them than an end may have.
    SayOften,
}

holdfast_common::namespace! {
    /// A shop.
    Shop = "shop";
    durable {
        /// Boxes are wanted.
        Ordered = "ordered", ordered -> (), String, counts: true, effect: |_| Effect::Adds;
        /// Boxes are packed.
        Packed = "packed", packed -> (), String, counts: true, effect: |_| Effect::Adds;
    }
    volatile {}
    latest {}
}

holdfast_common::queues! {
    "shop" / "packing" { Pack = "pack" -> Packed, String; Unpack = "unpack" -> (), String; }
}

/// Boxes of an order of which no job can be made.
pub const UNFIT: u32 = 9;

pub struct ShopRules;

impl Rules for ShopRules {
    fn ordered(&self, event: &Ordered, _: &Facts, _: &Limits) -> Decision<Ordered> {
        few(event.boxes)
    }

    fn packed(&self, event: &Packed, _: &Facts, _: &Limits) -> Decision<Packed> {
        few(event.boxes)
    }

    fn work(&self, event: &Event, _: &Facts, work: &mut Work) {
        if let Event::Ordered(Ordered { boxes }) = event
            && *boxes > 0
        {
            let pack = work.enqueue(&Pack { todo: Todo::Pack { boxes: *boxes } });
            // A group that no job may have.
            pack.group = (*boxes == UNFIT).then(String::new);
        }
    }
}

fn few(boxes: u32) -> Result<(), No<String>> {
    if boxes < 10 { Ok(()) } else { Err(No::Because("too many boxes".to_owned())) }
}

/// Does what it is told.
#[derive(Clone)]
pub struct Packer {
    /// One permit for each job that may go on.
    go_on: Arc<Semaphore>,
    had: Arc<Mutex<Vec<(JobId, u64)>>>,
}

impl Default for Packer {
    fn default() -> Self {
        let go_on = Arc::new(Semaphore::new(0));
        Self { go_on, had: Arc::default() }
    }
}

impl Packer {
    /// Has one of those that wait go on, or the next one that will.
    pub fn go_on(&self) {
        self.go_on.add_permits(1);
    }

    async fn told_to_go_on(&self) {
        self.go_on.acquire().await.unwrap().forget();
    }

    /// The job and the fence of each attempt, in their order.
    pub fn had(&self) -> Vec<(JobId, u64)> {
        self.had.lock().unwrap().clone()
    }
}

impl Worker for Packer {
    type Job = Pack;

    async fn run(&self, job: &mut Leased<Pack>) -> Outcome<Pack> {
        self.had.lock().unwrap().push((job.id(), job.fence()));
        match job.data.todo {
            Todo::Pack { boxes } => {
                if boxes > 0 {
                    job.emit(FLOOR, &Packed::of(boxes));
                }
                for _ in 0..boxes {
                    job.enqueue(&Pack { todo: Todo::Pack { boxes: 0 } });
                }
                Outcome::Done(Packed::of(boxes))
            }
            Todo::WaitToSay => {
                job.emit(FLOOR, &Packed::of(1));
                job.enqueue(&Pack { todo: Todo::Pack { boxes: 0 } });
                job.progress(50, None).await.unwrap();
                self.told_to_go_on().await;
                Outcome::Done(Packed::of(1))
            }
            Todo::Wait => {
                job.progress(50, Some("half")).await.unwrap();
                self.told_to_go_on().await;
                Outcome::Done(Packed::of(0))
            }
            Todo::SayIn { ref room } => {
                let room = room.clone();
                job.emit(FLOOR, &Packed::of(1));
                job.emit(&room, &Packed::of(1));
                Outcome::Done(Packed::of(1))
            }
            Todo::Fail { fatal } => {
                job.emit(FLOOR, &Packed::of(1));
                let torn = "torn".to_owned();
                if fatal { Outcome::Dead(torn) } else { Outcome::Retry(torn) }
            }
            Todo::FailAtLength { bytes } => Outcome::Dead("x".repeat(bytes)),
            Todo::Export { room } => {
                let (namespace, name) = ("shop".to_owned(), FLOOR.to_owned());
                job.enqueue(&Export { room, namespace, name });
                Outcome::Done(Packed::of(0))
            }
            Todo::Write { bytes } => {
                job.emit(FLOOR, &Packed::of(1));
                Outcome::Done(Packed::long(bytes))
            }
            Todo::Panic => panic!("a box fell"),
            Todo::Later { snooze: true } => Outcome::Snooze(Millis(u64::MAX)),
            Todo::Later { snooze: false } => Outcome::HandBack(Millis(u64::MAX)),
            Todo::SayOften => {
                for _ in 0..=END_EVENTS {
                    job.emit(FLOOR, &Packed::of(1));
                }
                Outcome::Done(Packed::of(1))
            }
            Todo::SayTooMuch => {
                job.emit(FLOOR, &Packed::of(1));
                job.emit(FLOOR, &Packed::of(10));
                Outcome::Done(Packed::of(11))
            }
        }
    }
}
