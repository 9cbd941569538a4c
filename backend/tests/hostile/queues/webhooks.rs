//! Webhooks' targets. That none of them leads where it is not allowed to, whatever a receiver answers, is
//! shown at the client itself; here of the program as it is started.

use super::{REQUEST, read, say};
use crate::siege::{many, siege};
use serde_json::{Value, json};

const HOOKS: &str = "/api/v1/chat/rooms/lobby/webhooks";

/// This machine, its network and its cloud in all the ways in which an address can be written, and names
/// that nobody has or that lead inside.
const TARGETS: [&str; 26] = [
    "http://127.0.0.1/",
    "https://127.0.0.1:3000/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.1/",
    "http://127.0.0.1./",
    "http://①②⑦.⓪.⓪.①/",
    "http://%31%32%37.0.0.1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://[::1]/",
    "http://[::]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[fe80::1%25eth0]/",
    "http://169.254.169.254/latest/meta-data/",
    "https://10.0.0.1/",
    "https://localhost/",
    "https://no-such-host.invalid/",
    "https://8.8.8.8@127.0.0.1/",
    "http://127.0.0.1\\@hooks.example.org/",
];

#[test]
fn no_webhook_is_made_for_a_place_that_nobody_has_allowed_however_it_is_written() {
    let siege = siege("webhooks to all that is inside");
    // A name that is allowed allows no other one, and no address.
    let siege = siege.with("--webhook-target", "hooks.example.org");
    siege.sockets(TARGETS.len(), REQUEST).run(async |target| {
        while target.round().await {
            many(TARGETS.len(), async |n| {
                let hook = json!({ "url": TARGETS[n] });
                let (status, body) = say(target.address, HOOKS, &hook).await;
                let is = (status, &body["code"]);
                assert_eq!(is, (403, &json!("target_refused")), "{}", TARGETS[n]);
            })
            .await;
        }
        let listed = read(target.address, HOOKS).await;
        assert_eq!(listed["webhooks"], json!([] as [Value; 0]));
    });
}
