//! What handlers and workers want at the bounds of what can be had.

use super::{
    Shop,
    shop::{FLOOR, Todo, UNFIT},
};
use crate::talker::Talker;
use holdfast_common::{
    error::Code,
    frame::{ClientFrame, Emit, ServerFrame},
    id::EventId,
    job::limits::RESULT_BYTES,
};
use serde_json::{Value, json};

#[tokio::test]
async fn an_event_whose_job_is_out_of_its_bounds_is_rejected_and_its_writer_goes_on() {
    Shop::on_both(async |shop| {
        let path = "/api/v1/shop/rooms/floor/events";
        let order = json!({ "type": "ordered", "data": { "boxes": UNFIT } }).to_string();
        shop.rig.post(path, "", &order).await.is(400, "bad_request");
        let mut anna = Talker::at_home(&shop.rig, "Anna").await;
        anna.join(shop.floor).await;
        for (n, boxes) in [(1, UNFIT), (2, 0)] {
            let (ns, kind) = ("shop".to_owned(), "ordered".to_owned());
            let id = EventId::from_bytes(crate::talker::fresh());
            let emit = ClientFrame::Emit(Emit { ns, room: shop.floor, n, floor: 0, id, kind });
            let text = holdfast_common::codec::write_client_with(
                &emit,
                &format!(r#"{{"boxes":{boxes}}}"#),
            );
            anna.wire.text(text).await;
        }
        let rejected = anna.wire.find(|frame| match frame {
            ServerFrame::Reject(reject) => Some((reject.n, reject.code)),
            _ => None,
        });
        assert_eq!(rejected.await, (1, Code::BadRequest));
        assert_eq!(anna.ack().await.n, 2);
        assert_eq!(shop.events().await, [json!({ "boxes": 0 })]);
    })
    .await;
}

#[tokio::test]
async fn a_failure_for_good_past_its_bytes_is_a_dead_letter_with_the_beginning_of_its_reason() {
    Shop::on_both(async |shop| {
        let id = shop.pack(Todo::FailAtLength { bytes: RESULT_BYTES + 1 }).await;
        let dead = shop.until(id, "dead").await;
        assert_eq!(dead["attempt"], 1);
        let error = dead["errors"][0]["error"].as_str().unwrap();
        assert!(error.starts_with("xxx") && error.ends_with('…'), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_worker_of_the_server_has_a_room_exported_by_a_further_job_as_no_service_may() {
    Shop::on_both(async |shop| {
        let id = shop.pack(Todo::Export { room: shop.floor }).await;
        shop.until(id, "done").await;
        let exported = |queue: &Value| queue["done"] == 1;
        shop.until_at("/api/v1/holdfast/queues/exports", exported).await;
        let export = json!({ "room": shop.floor, "namespace": "shop", "name": FLOOR });
        let job = json!({ "type": "export", "data": export }).to_string();
        let path = "/api/v1/holdfast/queues/exports/jobs";
        shop.rig.post(path, "", &job).await.is(403, "forbidden");
    })
    .await;
}
