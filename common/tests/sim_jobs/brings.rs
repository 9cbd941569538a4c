//! What a completion brings, as a frame of `holdfast-work.v1` has it: each event and each job with its id as
//! its payload, so that it is known again.

use crate::{client::queue_named, deed::End, disk::Asked};
use holdfast_common::{
    consumer::BroughtIds,
    error::Code,
    frame::work::{AskedJob, Brings, EndEvent, EndJob},
    id::{Epoch, EventId},
    job::NewJob,
    storage::{Appended, Verdict},
};
use serde_json::value::{RawValue, to_raw_value};

/// The type of an event that its rule refuses.
const BAD: &str = "bad";

/// What is said of an end.
pub fn of(end: &End) -> Brings {
    let kind = if end.bad { BAD } else { "message" };
    let event = |id: &EventId| EndEvent {
        namespace: None,
        room: "room".to_owned(),
        kind: kind.to_owned(),
        data: payload(id),
    };
    let job = |Asked { new, .. }: &Asked| AskedJob {
        kind: new.kind.clone(),
        data: payload(&new.id),
        delay_ms: Some(new.delay),
        at: None,
        priority: Some(new.priority.into()),
        group: new.group.clone(),
        max_attempts: new.most,
        backoff_ms: new.backoff,
        expires_ms: new.expires,
    };
    let queued =
        |it: &Asked| EndJob { namespace: None, queue: Some(it.new.queue.clone()), job: job(it) };
    Brings {
        events: end.events.iter().map(event).collect(),
        jobs: end.jobs.iter().map(queued).collect(),
    }
}

/// The end, with what is said to come with it.
pub fn with(end: End, brings: Brings) -> End {
    let bad = brings.events.iter().any(|event| event.kind == BAD);
    let events = brings.events.iter().map(|event| id(&event.data)).collect();
    End { events, bad, jobs: brings.jobs.into_iter().map(asked).collect(), ..end }
}

fn asked(EndJob { queue, job, .. }: EndJob) -> Asked {
    let name = queue.expect("each says its queue");
    let new = NewJob {
        id: id(&job.data),
        ns: "work".to_owned(),
        kind: job.kind,
        data: job.data.get().to_owned(),
        delay: job.delay_ms.unwrap_or_default(),
        priority: job.priority.and_then(|it| it.try_into().ok()).unwrap_or_default(),
        group: job.group,
        most: job.max_attempts,
        backoff: job.backoff_ms,
        expires: job.expires_ms,
        asker: None,
        queue: name,
    };
    Asked { queue: queue_named(&new.queue), new }
}

/// The ids of what comes with an end, in its order.
pub fn ids(end: &End) -> BroughtIds {
    let jobs = end.jobs.iter().map(|asked| asked.new.id).collect();
    BroughtIds { events: end.events.clone(), jobs }
}

/// That its events stand now.
pub fn appended(end: &End) -> Vec<Appended> {
    let ack = |(offset, id): (u64, &EventId)| {
        let (epoch, reply) = (Epoch::from_bytes([0; 16]), "null".to_owned());
        Appended::decided(Verdict::Ack { id: *id, epoch, offset, reply }, None)
    };
    (1..).zip(&end.events).map(ack).collect()
}

/// That its last event is refused.
pub fn rejected(end: &End) -> (usize, Verdict) {
    let (code, detail) = (Code::Refused, Code::Refused.text().to_owned());
    let index = end.events.len().saturating_sub(1);
    (index, Verdict::Reject { id: end.events[index], code, detail, why: None })
}

fn payload(id: &impl ToString) -> Box<RawValue> {
    to_raw_value(&id.to_string()).expect("a text is JSON")
}

fn id<T: std::str::FromStr>(payload: &RawValue) -> T {
    let text: &str = serde_json::from_str(payload.get()).expect("a text");
    text.parse().ok().expect("an id")
}
