//! Webhooks, and the jobs that come of what they hear.

use super::{
    super::rig::{Rig, creation, delete, inbox, message, rejected, room_id},
    bench::*,
};
use holdfast_common::{
    id::{PersonId, RoomId, WebhookId},
    job::QueueSettings,
    storage::{
        Append, Fault,
        hooks::{HookChange, HookState, Hooked, Key, WEBHOOKS, Webhook},
        jobs::{AuditQuery, By, Claim, LeasedJob, QueueName, QueueSpec, Wanted},
    },
    system::{self, Deliver, SYSTEM},
    time::{Millis, Timestamp},
};
use std::collections::BTreeSet;

contract_of_jobs! {
    an_event_is_a_job_for_each_webhook_of_its_room
    what_is_not_appended_is_told_to_nobody
    a_webhook_hears_of_the_types_that_it_names
    an_ordered_webhook_is_a_group
    a_full_queue_of_webhooks_stops_no_append
    events_of_an_end_are_told_too
    a_webhook_that_has_ended_hears_of_nothing_and_is_still_listed
    a_webhook_that_was_removed_is_not_there
    the_secret_before_is_kept_until_the_next_change
    a_room_has_so_many_webhooks_and_no_more
    an_inbox_and_what_is_no_room_have_no_webhooks
    the_webhooks_of_a_room_end_with_it
    each_change_is_noted
    webhooks_without_a_queue_are_a_fault
}

fn hook(room: RoomId) -> Webhook {
    Webhook {
        id: WebhookId::from_bytes(*job_id().as_bytes()),
        room,
        ns: "chat".to_owned(),
        name: room.to_string(),
        url: "https://hooks.example.org/".to_owned(),
        secret: Key(vec![1; 32]),
        before: None,
        kinds: None,
        ordered: false,
        state: HookState::Active,
        made: Timestamp(WALL),
        changed: Timestamp(WALL),
        by: PersonId::NIL,
    }
}

fn by() -> By {
    By { person: PersonId::NIL, name: "Ada".to_owned() }
}

async fn queue(bench: &Bench, settings: QueueSettings) {
    let (ns, name) = (SYSTEM.to_owned(), system::WEBHOOKS.to_owned());
    bench.engine().ensure_queue(QueueSpec { ns, name, settings }).await.unwrap();
}

/// A room with these webhooks.
async fn room_with(bench: &Bench, hooks: impl Fn(RoomId) -> Vec<Webhook>) -> (Rig, RoomId) {
    queue(bench, settings()).await;
    let rig = bench.rig();
    let room = rig.room().await;
    for hook in hooks(room) {
        assert_eq!(add(bench, hook).await, Hooked::Made);
    }
    (rig, room)
}

async fn add(bench: &Bench, hook: Webhook) -> Hooked {
    bench.engine().add_webhook(hook, by()).await.unwrap()
}

async fn change(bench: &Bench, id: WebhookId, change: HookChange) -> bool {
    bench.engine().change_webhook(id, change, by()).await.unwrap()
}

async fn listed(bench: &Bench, room: RoomId) -> Vec<Webhook> {
    bench.engine().webhooks(room).await.unwrap().unwrap()
}

async fn taken(bench: &Bench) -> Vec<LeasedJob> {
    let (ns, queue) = (SYSTEM.to_owned(), system::WEBHOOKS.to_owned());
    let wanted = Wanted::Of { ns, queue, most: 100 };
    jobs(bench.claimed(Claim { wanted, holder: holder("c"), lease: Some(Millis(10_000)) }).await)
}

/// What waits to be told, as it was enqueued.
async fn told_of(bench: &Bench) -> Vec<(WebhookId, u64)> {
    let read = |job: LeasedJob| {
        let deliver: Deliver = serde_json::from_str(&job.data).unwrap();
        (deliver.webhook, deliver.offset.unwrap())
    };
    taken(bench).await.into_iter().map(read).collect()
}

async fn an_event_is_a_job_for_each_webhook_of_its_room(bench: &Bench) {
    let (rig, room) = room_with(bench, |room| vec![hook(room), hook(room)]).await;
    let hooks = listed(bench, room).await;
    let other = rig.room().await;
    let new = rig.entry(message(room, PersonId::NIL, "one")).await;
    rig.entry(message(other, PersonId::NIL, "elsewhere")).await;
    let jobs = taken(bench).await;
    assert_eq!(jobs.iter().map(|job| job.id).collect::<BTreeSet<_>>().len(), 2);
    let delivers: Vec<Deliver> =
        jobs.iter().map(|job| serde_json::from_str(&job.data).unwrap()).collect();
    let expected =
        |hook: &Webhook| Deliver { webhook: hook.id, room, epoch: new.epoch, offset: Some(2) };
    assert_eq!(delivers, hooks.iter().map(expected).collect::<Vec<_>>());
    assert!(jobs.iter().all(|job| job.kind == "deliver" && job.group.is_none()));
}

async fn what_is_not_appended_is_told_to_nobody(bench: &Bench) {
    let (rig, room) = room_with(bench, |room| vec![hook(room)]).await;
    let ada = rig.sender().await;
    let refused = rejected(message(room, PersonId::NIL, ""));
    rig.put(refused).await;
    let first = Append { lane: ada.number(1, 0), ..message(room, PersonId::NIL, "one") };
    rig.entry(first.clone()).await;
    assert_eq!(told_of(bench).await.len(), 1);
    // By its number, and by its id.
    rig.put(first.clone()).await;
    rig.put(Append { lane: None, ..first }).await;
    assert_eq!(told_of(bench).await, []);
}

async fn a_webhook_hears_of_the_types_that_it_names(bench: &Bench) {
    let named = |kinds: &[&str], room| {
        let kinds = Some(kinds.iter().map(|kind| (*kind).to_owned()).collect());
        Webhook { kinds, ..hook(room) }
    };
    let hooks = |room| vec![named(&["delete", "message"], room), named(&["delete"], room)];
    let (rig, room) = room_with(bench, hooks).await;
    let hooks = listed(bench, room).await;
    let said = rig.entry(message(room, PersonId::NIL, "one")).await;
    rig.entry(delete(room, PersonId::NIL, said.entry.id)).await;
    let (both, one) = (hooks[0].id, hooks[1].id);
    assert_eq!(told_of(bench).await, [(both, 2), (both, 3), (one, 3)]);
}

async fn an_ordered_webhook_is_a_group(bench: &Bench) {
    let ordered = |room| vec![Webhook { ordered: true, ..hook(room) }];
    let (rig, room) = room_with(bench, ordered).await;
    rig.messages(room, 2).await;
    let [first] = &taken(bench).await[..] else { panic!("one at a time") };
    let id = listed(bench, room).await[0].id;
    assert_eq!(first.group.as_deref(), Some(&*id.to_string()));
    assert_eq!(taken(bench).await, []);
    bench.ended(first, complete()).await;
    assert_eq!(told_of(bench).await, [(id, 3)]);
}

async fn a_full_queue_of_webhooks_stops_no_append(bench: &Bench) {
    let (rig, room) = room_with(bench, |room| vec![hook(room)]).await;
    queue(bench, QueueSettings { most: 1, ..settings() }).await;
    rig.messages(room, 3).await;
    assert_eq!(told_of(bench).await.len(), 3);
}

async fn events_of_an_end_are_told_too(bench: &Bench) {
    let (rig, room) = room_with(bench, |room| vec![hook(room)]).await;
    bench.inbox().await;
    bench.puts(1).await;
    let job = bench.take_one().await;
    let append = rig.read_facts(message(room, PersonId::NIL, "done")).await;
    let end = holdfast_common::storage::jobs::End {
        appends: vec![append],
        ..end(job.id, job.token, complete())
    };
    let (_, moves) = bench.engine().end(end).await.unwrap();
    let moved: Vec<_> = moves.queues.iter().map(|queue| queue.queue.name.as_str()).collect();
    assert!(moved.contains(&"webhooks"), "those who wait are told: {moved:?}");
    assert_eq!(told_of(bench).await.len(), 1);
}

async fn a_webhook_that_has_ended_hears_of_nothing_and_is_still_listed(bench: &Bench) {
    let (rig, room) = room_with(bench, |room| vec![hook(room), hook(room)]).await;
    let hooks = listed(bench, room).await;
    for _ in 0..2 {
        assert!(change(bench, hooks[0].id, HookChange::End).await);
    }
    rig.entry(message(room, PersonId::NIL, "one")).await;
    assert_eq!(told_of(bench).await, [(hooks[1].id, 2)]);
    let ended = Webhook { state: HookState::Ended, ..hooks[0].clone() };
    assert_eq!(listed(bench, room).await, [ended, hooks[1].clone()]);
    assert!(change(bench, hooks[1].id, HookChange::End).await);
    rig.entry(message(room, PersonId::NIL, "two")).await;
    assert_eq!(told_of(bench).await, []);
}

async fn a_webhook_that_was_removed_is_not_there(bench: &Bench) {
    let (rig, room) = room_with(bench, |room| vec![hook(room)]).await;
    let id = listed(bench, room).await[0].id;
    assert!(change(bench, id, HookChange::Remove).await);
    rig.entry(message(room, PersonId::NIL, "one")).await;
    assert_eq!(told_of(bench).await, []);
    assert_eq!(bench.engine().webhook(id).await, Ok(None));
    assert!(!change(bench, id, HookChange::Remove).await);
}

async fn the_secret_before_is_kept_until_the_next_change(bench: &Bench) {
    let (_, room) = room_with(bench, |room| vec![hook(room)]).await;
    let made = listed(bench, room).await.remove(0);
    for n in [2, 3] {
        let at = Timestamp(WALL + u64::from(n));
        assert!(change(bench, made.id, HookChange::Secret(Key(vec![n; 32]), at)).await);
        let now = bench.engine().webhook(made.id).await.unwrap().unwrap();
        let (secret, before) = (Key(vec![n; 32]), Some(Key(vec![n - 1; 32])));
        assert_eq!(now, Webhook { secret, before, changed: at, ..made.clone() });
    }
}

async fn a_room_has_so_many_webhooks_and_no_more(bench: &Bench) {
    let (_, room) = room_with(bench, |room| (0..WEBHOOKS).map(|_| hook(room)).collect()).await;
    assert_eq!(add(bench, hook(room)).await, Hooked::TooMany);
    let first = listed(bench, room).await[0].id;
    assert!(change(bench, first, HookChange::Remove).await);
    assert_eq!(add(bench, hook(room)).await, Hooked::Made);
    assert_eq!(listed(bench, room).await.len(), WEBHOOKS);
}

async fn an_inbox_and_what_is_no_room_have_no_webhooks(bench: &Bench) {
    let (rig, _) = room_with(bench, |_| Vec::new()).await;
    let ada = rig.sender().await;
    let own = room_id();
    rig.entry(inbox(own, ada.person)).await;
    for room in [own, room_id()] {
        assert_eq!(add(bench, hook(room)).await, Hooked::NoRoom);
        assert_eq!(bench.engine().webhooks(room).await, Ok(None));
    }
}

async fn the_webhooks_of_a_room_end_with_it(bench: &Bench) {
    let (rig, room) = room_with(bench, |room| vec![hook(room)]).await;
    let id = listed(bench, room).await[0].id;
    rig.entry(message(room, PersonId::NIL, "one")).await;
    bench.engine().delete_room(room).await.unwrap();
    assert_eq!(bench.engine().webhook(id).await, Ok(None));
    assert_eq!(bench.engine().webhooks(room).await, Ok(None));
    assert_eq!(add(bench, hook(room)).await, Hooked::NoRoom);
    // Another one of its name has none.
    let next = room_id();
    rig.entry(creation(next, PersonId::NIL, &room.to_string())).await;
    assert_eq!(listed(bench, next).await, []);
    assert_eq!(told_of(bench).await, [(id, 2)], "what was to be told finds out by itself");
}

async fn each_change_is_noted(bench: &Bench) {
    let (_, room) = room_with(bench, |room| vec![hook(room)]).await;
    let id = listed(bench, room).await[0].id;
    let secret = HookChange::Secret(Key(vec![2; 32]), Timestamp(WALL));
    for deed in [secret, HookChange::End, HookChange::End, HookChange::Remove] {
        assert!(change(bench, id, deed).await);
    }
    let (ns, name) = (SYSTEM.to_owned(), system::WEBHOOKS.to_owned());
    let query = AuditQuery { queue: QueueName { ns, name }, before: None, limit: 100 };
    let noted = bench.engine().audit(query).await.unwrap().unwrap();
    let deeds: Vec<_> = noted.iter().map(|audit| audit.did.name()).collect();
    assert_eq!(deeds, ["webhook_removed", "webhook_ended", "webhook_secret", "webhook_made"]);
    assert!(noted.iter().all(|audit| audit.detail == Some(id.to_string()) && audit.by == by()));
}

async fn webhooks_without_a_queue_are_a_fault(bench: &Bench) {
    let rig = bench.rig();
    let room = rig.room().await;
    let added = bench.engine().add_webhook(hook(room), by()).await;
    assert!(matches!(added, Err(Fault::Failed(_))), "{added:?}");
    assert_eq!(listed(bench, room).await, []);
}
