//! The example, run as the program it is.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(20);

struct Program {
    child: Child,
    address: String,
}

impl Program {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_packing"));
        let mut child = command.arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
        Self { child, address }
    }

    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!("{request} HTTP/1.1\r\nhost: {}\r\ncontent-length: 0\r\n", self.address);
        stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// What stands in the room, its beginning apart: each with its number of boxes.
    fn floor(&self) -> Vec<(String, u64)> {
        let answer = self.ask("GET /api/v1/shop/rooms/floor/events");
        let log: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        let events = log["events"].as_array().unwrap()[1..].iter();
        let read = events.map(|event| {
            (event["type"].as_str().unwrap().to_owned(), event["data"]["boxes"].as_u64().unwrap())
        });
        read.collect()
    }

    fn until(&self, stands: &[(&str, u64)]) {
        let begun = Instant::now();
        loop {
            let floor = self.floor();
            if stands.iter().all(|(kind, boxes)| floor.contains(&((*kind).to_owned(), *boxes))) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{floor:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn an_order_brings_a_job_whose_worker_says_in_the_room_what_it_has_packed() {
    let program = Program::start();
    assert!(program.ask("POST /order/7").starts_with("HTTP/1.1 200 "));
    program.until(&[("ordered", 7), ("packed", 7), ("packed", 2)]);
    assert!(program.ask("POST /order/10").starts_with("HTTP/1.1 422 "));
    let queue = program.ask("GET /api/v1/shop/queues/packing");
    assert!(queue.contains(r#""done":2"#) && queue.contains(r#""delayed":1"#), "{queue}");
    let schedule = program.ask("GET /api/v1/shop/schedules/nightly");
    assert!(schedule.contains(r#""state":"active""#), "{schedule}");
}
