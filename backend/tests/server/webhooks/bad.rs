//! Webhooks that are not made, and what nobody may do.

use super::{HOOKS, Post, QUEUE};
use serde_json::{Value, json};

#[tokio::test]
async fn a_target_that_is_not_allowed_is_refused() {
    Post::on_both(async |post| {
        let port = post.receiver.at.port();
        for url in [
            "https://hooks.example.org/".to_owned(),
            format!("http://localhost:{port}/"),
            format!("http://127.0.0.1:{}/", port ^ 1),
            format!("http://ada:secret@127.0.0.1:{port}/"),
            format!("ftp://127.0.0.1:{port}/"),
            format!("http://127.0.0.1:{port}/{}", "x".repeat(2_048)),
            "nowhere".to_owned(),
        ] {
            let answer = post.ask(HOOKS, &json!({ "url": url })).await;
            answer.is(403, "target_refused");
            assert!(answer.json()["detail"].as_str().unwrap().ends_with('.'));
        }
        assert_eq!(post.listed().await, [] as [Value; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_webhook_that_could_hear_nothing_is_not_made() {
    Post::on_both(async |post| {
        let url = post.receiver.url();
        for (body, status, code) in [
            (json!({}), 400, "bad_request"),
            (json!({ "url": url, "types": [] }), 400, "bad_request"),
            (json!({ "url": url, "more": 1 }), 400, "bad_request"),
            (json!({ "url": url, "secret": "whsec_c2hvcnQ=" }), 400, "bad_request"),
            (json!({ "url": url, "types": ["message", "nonsense"] }), 422, "unknown_type"),
            // Passed on and not kept.
            (json!({ "url": url, "types": ["typing"] }), 422, "unknown_type"),
        ] {
            post.ask(HOOKS, &body).await.is(status, code);
        }
        let body = json!({ "url": url });
        for (path, code) in [
            ("/api/v1/chat/rooms/nowhere/webhooks", "unknown_room"),
            ("/api/v1/nothing/rooms/lobby/webhooks", "unknown_namespace"),
        ] {
            post.ask(path, &body).await.is(404, code);
            post.rig.get(path).await.is(404, code);
        }
        for id in ["seven", "00000000-0000-0000-0000-000000000000"] {
            let path = format!("{HOOKS}/{id}");
            post.delete(&path).await.is(404, "not_found");
            post.ask(&format!("{path}/secret"), &json!({})).await.is(404, "not_found");
            post.ask(&format!("{path}/test"), &json!({})).await.is(404, "not_found");
        }
        assert_eq!(post.listed().await, [] as [Value; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_room_has_up_to_64_webhooks() {
    Post::on_both(async |post| {
        for _ in 0..64 {
            post.make(&json!({})).await;
        }
        let body = json!({ "url": post.receiver.url() });
        post.ask(HOOKS, &body).await.is(429, "too_many");
        assert_eq!(post.listed().await.len(), 64);
    })
    .await;
}

#[tokio::test]
async fn no_secret_is_shown_again() {
    Post::on_both(async |post| {
        let hook = post.make(&json!({ "types": ["message"], "ordered": true })).await;
        let [listed] = &post.listed().await[..] else { panic!("one") };
        let names: Vec<_> = listed.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["by", "id", "made", "ordered", "secret_changed", "state", "types", "url"]
        );
        assert_eq!((&listed["id"], &listed["url"]), (&json!(hook.id), &json!(post.receiver.url())));
        assert_eq!((&listed["types"], &listed["state"]), (&json!(["message"]), &json!("active")));
        assert!(listed["secret_changed"].as_u64().unwrap() > 1_700_000_000_000);
        let audit = post.rig.get(&format!("{QUEUE}/audit")).await.json();
        assert_eq!(audit["audit"][0]["deed"], "webhook_made");
        assert_eq!(audit["audit"][0]["detail"], hook.id);
    })
    .await;
}

#[tokio::test]
async fn nobody_but_the_server_enqueues_for_webhooks_or_takes_their_jobs() {
    Post::on_both(async |post| {
        let job = json!({ "type": "deliver", "data": {} });
        post.ask(&format!("{QUEUE}/jobs"), &job).await.is(403, "forbidden");
        let batch = json!({ "jobs": [job] });
        post.ask(&format!("{QUEUE}/batch"), &batch).await.is(403, "forbidden");
        let lease = json!({ "consumer": "me" });
        post.ask(&format!("{QUEUE}/lease"), &lease).await.is(403, "forbidden");
        post.make(&json!({})).await;
        post.say("mine").await;
        post.until(|queue| queue["done"] == 1).await;
        let id = post.jobs("done").await[0]["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/holdfast/jobs/{id}");
        post.ask(&format!("{path}/lease"), &lease).await.is(403, "forbidden");
        let done = json!({ "token": "1-0000000000000000" });
        post.ask(&format!("{path}/complete"), &done).await.is(403, "forbidden");
        assert_eq!(post.rig.get(&path).await.json()["result"]["status"], 204);
    })
    .await;
}
