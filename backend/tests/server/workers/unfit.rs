//! An event of which its handler makes a job that is out of its bounds.

use super::{Shop, shop::UNFIT};
use crate::talker::Talker;
use holdfast_common::{
    error::Code,
    frame::{ClientFrame, Emit, ServerFrame},
    id::EventId,
};
use serde_json::json;

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
