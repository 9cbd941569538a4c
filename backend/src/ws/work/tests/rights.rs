//! Every question of a connection, asked by who may do all but one thing.

use super::{End, Line, *};
use crate::rights::{Right, denied};
use holdfast_common::frame::work::Request;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const RIGHTS: [Right; 6] =
    [Right::Enqueue, Right::Consume, Right::Govern, Right::Read, Right::Hook, Right::Schedule];

/// A machine whose questions are answered as they come.
struct Client {
    shared: Arc<Shared>,
    machine: Consumer,
    req: Request,
    /// What it has asked of the server.
    asked: BTreeSet<&'static str>,
}

/// What it asks by its name, if somebody may do it and another one may not.
fn question(output: &Output) -> Option<&'static str> {
    match output {
        Output::Consume { .. } => Some("consume"),
        Output::Enqueue { .. } => Some("enqueue"),
        Output::Take { .. } => Some("take"),
        Output::End { .. } => Some("end"),
        Output::Extend { .. } => Some("extend"),
        Output::Govern { .. } => Some("govern"),
        Output::Board { .. } => Some("board"),
        Output::Page { .. } => Some("page"),
        // Who they are; and what of a board that is shown, or of what they hold, has changed.
        Output::Greet(_) | Output::Jobs { .. } | Output::Held(_) => None,
        Output::Send(_) | Output::Ping | Output::Close(_) => None,
        Output::Follow(_) | Output::Unfollow(_) => None,
        Output::Credit { .. } | Output::Gone(_) | Output::HandBack(_) => None,
    }
}

impl Client {
    /// Job 1 is ready, it holds job 2, and job 3 is a dead letter. It watches their queue as 1.
    async fn new() -> (Self, Value) {
        let shared = server().await;
        enqueue(&shared, 1..=3).await;
        let limits = shared.limits.clone();
        let machine = Consumer::new(shared.clock.now(), ConnectionId::NIL, limits, "test");
        let mut client = Self { shared, machine, req: 0, asked: BTreeSet::new() };
        client.say(&[], r#"{"hello":{"name":"tester"}}"#).await;
        let mut tokens = Vec::new();
        for n in [2, 3] {
            let job = read(&client.shared, n).await.id;
            let (name, body) = client.ask(&[], "take", json!({ "job": job }), "").await;
            assert_eq!(name, "leased", "{body}");
            tokens.push(json!({ "job": job, "token": body["job"]["token"] }));
        }
        let mut fails = tokens.remove(1);
        fails["retry"] = json!(false);
        assert_eq!(client.ask(&[], "fail", fails, "").await.1["state"], "dead");
        let watch = json!({ "ns": "work", "queue": "inbox" });
        assert_eq!(client.ask(&[], "watch", watch, "").await.1["sub"], 1);
        client.asked.clear();
        (client, tokens.remove(0))
    }

    /// What is sent where these rights are missing.
    async fn say(&mut self, without: &[Right], text: &str) -> Vec<Value> {
        let now = self.shared.clock.now();
        let mut outputs = VecDeque::from(self.machine.handle(now, Input::Frame(text.as_bytes())));
        let mut sent = Vec::new();
        loop {
            let Some(output) = outputs.pop_front() else {
                // A page is read once what was put out before is on its way.
                outputs.extend(self.machine.handle(now, Input::Flushed));
                if outputs.is_empty() {
                    return sent;
                }
                continue;
            };
            self.asked.extend(question(&output));
            if let Output::Send(text) = output {
                sent.push(serde_json::from_str(&text).unwrap());
                continue;
            }
            let shared = Arc::clone(&self.shared);
            let done = asks::answer(shared, output, &mut Sequence::default());
            let done = denied::during(without, done).await;
            outputs.extend(done(&mut self.machine, now));
        }
    }

    /// The name of what is answered, and its body.
    async fn ask(
        &mut self,
        without: &[Right],
        name: &str,
        mut body: Value,
        payload: &str,
    ) -> (String, Value) {
        self.req += 1;
        body["req"] = json!(self.req);
        let sent = self.say(without, &format!("{}\n{payload}", json!({ name: body }))).await;
        let frames = sent.iter().filter_map(|frame| frame.as_object()?.iter().next());
        let mut answers = frames.filter(|(_, body)| body["req"] == self.req);
        let (name, body) = answers.next().unwrap_or_else(|| panic!("{name}: no answer"));
        (name.clone(), body.clone())
    }

    /// Each thing that can be asked for in a request, with its payload and with the rights that are needed.
    async fn questions(
        &self,
        held: &Value,
    ) -> Vec<(&'static str, Value, &'static str, Vec<Right>)> {
        use Right::{Consume, Enqueue, Govern, Read};
        const TASK: &str = r#"{"title":"x"}"#;
        let (ready, dead) = (read(&self.shared, 1).await.id, read(&self.shared, 3).await.id);
        let new = json!({ "id": JobId::from_bytes([9; 16]), "ns": "work", "queue": "inbox", "type": "task" });
        let mut brings = held.clone();
        brings["jobs"] = json!([{ "job": { "type": "task", "data": { "title": "x" } } }]);
        let mut questions = vec![
            ("enqueue", new, TASK, vec![Enqueue]),
            ("take", json!({ "job": ready }), "", vec![Consume]),
            ("complete", held.clone(), "", vec![Consume]),
            ("complete", brings, "", vec![Consume, Enqueue]),
            ("fail", held.clone(), "", vec![Consume]),
            ("snooze", held.clone(), "", vec![Consume]),
            ("extend", held.clone(), "", vec![Consume]),
            ("watch", json!({ "ns": "work", "queue": "inbox" }), "", vec![Read]),
            ("more", json!({ "sub": 1, "place": "dead" }), "", vec![Read]),
        ];
        let these = json!({ "jobs": [dead] });
        for (deed, payload, more) in [
            (json!({ "cancel": { "jobs": [ready] } }), "", None),
            (json!({ "requeue": these }), "", None),
            (json!({ "requeue": these }), TASK, Some(Enqueue)),
            (json!({ "requeue": { "like": {} } }), "", None),
            (json!({ "discard": these }), "", None),
            (json!({ "discard": { "like": {} } }), "", None),
            (json!("pause"), "", None),
            (json!("resume"), "", None),
            (json!({ "purge": "ready" }), "", None),
            (json!({ "purge": "dead" }), "", None),
            (json!("set"), r#"{"in_flight":3}"#, None),
        ] {
            let body = json!({ "ns": "work", "queue": "inbox", "deed": deed });
            let needs = [Govern].into_iter().chain(more).collect();
            questions.push(("govern", body, payload, needs));
        }
        questions
    }
}

#[tokio::test]
async fn each_question_of_a_connection_asks_for_its_rights_and_for_no_other() {
    let mut asked = BTreeSet::new();
    let (client, held) = Client::new().await;
    for at in 0..client.questions(&held).await.len() {
        for right in RIGHTS {
            let (mut client, held) = Client::new().await;
            let (name, body, payload, needs) = client.questions(&held).await.swap_remove(at);
            if name == "watch" {
                client.ask(&[], "unwatch", json!({ "sub": 1 }), "").await;
            }
            let said = format!("{name} {body} {payload} without {right:?}");
            let (answer, told) = client.ask(&[right], name, body, payload).await;
            // A queue that may not be read is shown as one that is not there.
            let code = if name == "watch" { "unknown_queue" } else { "forbidden" };
            let expected = if needs.contains(&right) { json!(code) } else { Value::Null };
            assert_eq!(told["code"], expected, "{said}: {answer} {told}");
            asked.append(&mut client.asked);
        }
    }
    let all = ["board", "end", "enqueue", "extend", "govern", "page", "take"];
    assert!(asked.iter().copied().eq(all), "{asked:?}");
}

#[tokio::test]
async fn who_may_not_consume_is_refused_and_pushed_nothing() {
    for right in RIGHTS {
        let shared = server().await;
        enqueue(&shared, [1]).await;
        let line = Arc::<Line>::default();
        line.say(r#"{"hello":{"name":"printer"}}"#);
        line.say(CONSUME);
        let run = run(End(Arc::clone(&line)), Arc::clone(&shared), ConnectionId::NIL);
        let run = tokio::spawn(async move { denied::during(&[right], run).await });
        until(async || line.heard("leased") || line.heard("refused")).await;
        assert_eq!(line.heard(r#""code":"forbidden""#), right == Right::Consume, "{right:?}");
        let is = read(&shared, 1).await.place;
        assert_eq!(is, if right == Right::Consume { Place::Ready } else { Place::Leased });
        line.turns(CUT);
        tokio::time::timeout(PATIENCE, run).await.unwrap().unwrap();
    }
}
