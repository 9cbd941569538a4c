//! The example, run as the program it is.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

struct Program {
    child: Child,
    address: String,
}

impl Program {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tally"));
        let mut child = command.arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
        Self { child, address }
    }

    fn post(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: 0\r\n", self.address);
        stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_whole_application_is_short() {
    assert!(include_str!("../src/main.rs").lines().count() < 150);
}

fn id(n: u8) -> String {
    format!("00000000-0000-7000-8000-0000000000{n:02x}")
}

struct Client {
    socket: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
    connection: String,
}

impl Client {
    /// Comes as the person of that number, and waits until the first room is live.
    async fn new(program: &Program, person: u8) -> Self {
        let mut request = format!("ws://{}/ws", program.address).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "holdfast.v1".parse().unwrap());
        let (mut socket, _) = connect_async(request).await.unwrap();
        let hello = json!({ "hello": {
            "person": id(person), "secret": "a secret of sixteen", "name": "Anna",
            "writer": id(person + 1), "generation": 1, "session": id(person + 2),
            "rooms": [], "lanes": [],
        }});
        socket.send(Message::text(hello.to_string())).await.unwrap();
        let mut client = Self { socket, connection: String::new() };
        let welcome = client.next("welcome").await;
        welcome["connection"].as_str().unwrap().clone_into(&mut client.connection);
        client.next("live").await;
        client
    }

    /// Skips frames until one of that name comes.
    async fn next(&mut self, name: &str) -> Value {
        loop {
            let message = tokio::time::timeout(Duration::from_secs(20), self.socket.next()).await;
            let message = message.expect("a frame in time").unwrap().unwrap();
            let Message::Text(text) = message else { continue };
            let mut frame: Value = serde_json::from_str(&text).unwrap();
            if let Some(found) = frame.get_mut(name) {
                return found.take();
            }
        }
    }
}

#[tokio::test]
async fn it_counts_and_cheers() {
    let program = Program::start();
    let mut anna = Client::new(&program, 1).await;
    let connection = anna.connection.clone();
    let mut next = async |name: &'static str| anna.next(name).await;

    let counted = program.post("/count/3");
    assert!(counted.ends_with("an odd step, at offset 2"), "{counted}");
    let entry = next("entries").await["entries"][0].take();
    assert_eq!((&entry["type"], &entry["data"]), (&json!("counted"), &json!({ "by": 3 })));
    assert_eq!(entry["from"]["name"], "tally");
    let refused = program.post("/count/0");
    assert!(refused.starts_with("HTTP/1.1 422") && refused.ends_with("Nothing was counted."));

    let counted = program.post(&format!("/count/4/{}", id(1)));
    assert!(counted.ends_with("an even step, at offset 2"), "{counted}");
    let inbox = next("rooms").await["rooms"][0].take();
    assert_eq!((&inbox["inbox"], &inbox["joined"]), (&json!(true), &json!(true)));
    let mut told = Vec::new();
    while told.len() < 2 {
        let mut entries = next("entries").await;
        assert_eq!(entries["room"], inbox["room"]);
        told.append(entries["entries"].as_array_mut().unwrap());
    }
    assert_eq!((&told[0]["type"], &told[1]["data"]), (&json!("room_created"), &json!({ "by": 4 })));
    let nobody = program.post(&format!("/count/4/{}", id(9)));
    assert!(nobody.starts_with("HTTP/1.1 404") && nobody.ends_with("There is no such person."));

    for (path, whom) in [
        ("room".to_owned(), "room"),
        ("namespace".to_owned(), "namespace"),
        ("everyone".to_owned(), "everyone"),
        (format!("person/{}", id(1)), "person"),
        (format!("connection/{connection}"), "connection"),
    ] {
        assert!(program.post(&format!("/cheer/{path}")).starts_with("HTTP/1.1 202"), "{path}");
        assert_eq!(next("signal").await["data"]["whom"], whom);
    }
}

#[tokio::test]
async fn all_but_the_sender_hear_a_cheer() {
    let program = Program::start();
    let mut anna = Client::new(&program, 1).await;
    let mut ben = Client::new(&program, 11).await;
    let others = format!("/cheer/others/{}", anna.connection);
    assert!(program.post(&others).starts_with("HTTP/1.1 202"));
    assert!(program.post("/cheer/room").starts_with("HTTP/1.1 202"));
    assert_eq!(anna.next("signal").await["data"]["whom"], "room", "its own it does not hear");
    assert_eq!(ben.next("signal").await["data"]["whom"], "others");
    assert!(program.post("/cheer/others/nobody").starts_with("HTTP/1.1 404"));
}
