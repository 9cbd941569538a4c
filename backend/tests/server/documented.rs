//! What docs/queues.md has one type, and docs/protocol.md of exports, is typed as it stands there, at a shell beside
//! the program, and what it says comes. The address alone is another one, and ids and tokens are those that have come.

mod consumer;
mod like;
mod read;

use crate::{
    program::{holdfast, started},
    rig::PATIENCE,
};
use like::Learned;
use read::{Step, blocks, steps};
use serde_json::Value;
use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The document of queues as it stands.
fn text() -> String {
    document("queues.md")
}

fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    fs::read_to_string(path).unwrap()
}

/// Where the document has the server, and a receiver of webhooks.
const SERVER: &str = "127.0.0.1:3000";
const RECEIVER: &str = "https://hooks.example.org";

/// The words that are typed, but for these: `curl` says the status behind what it got.
const PROGRAMS: &str = r#"
curl() { command curl --silent --show-error --max-time 60 --write-out '\n%{http_code}' "$@"; }
holdfast() { "$PROGRAM" "$@"; }
"#;

/// A process that ends with its test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Somebody who goes by the document.
struct Reader {
    _server: Ends,
    address: String,
    receiver: TcpListener,
    /// Where the server's data is, and where they sit.
    _data: TempDir,
    here: TempDir,
    learned: Learned,
}

impl Reader {
    fn start() -> Self {
        let [data, here] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        // It takes connections, and answers none of them.
        let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
        let inside = receiver.local_addr().unwrap().to_string();
        let options = ["--listen", "127.0.0.1:0", "--webhook-inside", &inside];
        let (server, address) = started(holdfast(&options, data.path()));
        let (_server, _data, learned) = (Ends(server), data, Learned::default());
        Self { _server, address, receiver, _data, here, learned }
    }

    /// Types it, and compares what came with what was said.
    fn follow(&mut self, step: &Step) {
        let line = step.line.replace(SERVER, &self.address);
        let receiver = format!("http://{}", self.receiver.local_addr().unwrap());
        let line = self.learned.instead(line.replace(RECEIVER, &receiver));
        let begun = Instant::now();
        loop {
            let out = self.typed(&line);
            if !step.line.starts_with("curl ") {
                assert!(step.said.is_none(), "nobody compares what is said below {}", step.line);
                return;
            }
            let (body, status) = out.rsplit_once('\n').unwrap();
            let is: Value = serde_json::from_str(body).unwrap_or_default();
            // What is not there yet is asked for again, as a person would.
            let early = step.said.is_none() && status == "409";
            if early && begun.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(20));
                continue;
            }
            let compared = self.compared(step, status.parse().unwrap(), &is);
            compared.unwrap_or_else(|why| panic!("{}\n{status} {body}\n{why}", step.line));
            return;
        }
    }

    fn typed(&self, line: &str) -> String {
        let mut command = Command::new("sh");
        command.args(["-euc", &format!("{PROGRAMS}\n{line}")]).current_dir(self.here.path());
        command.env("PROGRAM", env!("CARGO_BIN_EXE_holdfast")).env_remove("HOLDFAST_BY");
        command.env_remove("HOLDFAST_PERSON");
        command.env("HOLDFAST_SERVER", format!("http://{}", self.address));
        command.env("HOME", self.here.path()).env("no_proxy", "*").envs(self.learned.named());
        let output = command.output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        // What `curl --fail` ends with where it is refused: the status says the same.
        let refused = line.starts_with("curl -f ") && output.status.code() == Some(22);
        assert!(output.status.success() || refused, "{line}\n{error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What they have in files by now.
    fn files(&self) -> Vec<String> {
        let files = fs::read_dir(self.here.path()).unwrap();
        files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }

    fn compared(&mut self, step: &Step, status: u16, is: &Value) -> Result<(), String> {
        match &step.said {
            None if (200..300).contains(&status) => {}
            None => return Err("it is refused".to_owned()),
            Some(said) if said.status != status => return Err(format!("not {}", said.status)),
            Some(said) => said.body.iter().try_for_each(|body| self.learned.compare(body, is))?,
        }
        self.learned.name(is);
        Ok(())
    }
}

#[test]
fn each_command_of_the_document_of_queues_is_answered_as_it_says() {
    let mut reader = Reader::start();
    let all: Vec<Step> = blocks(&text(), "sh").iter().flat_map(|block| steps(block)).collect();
    let count = |word: &str| all.iter().filter(|step| step.line.starts_with(word)).count();
    // The one in Python is run by the test of it.
    let (curl, holdfast, python) = (count("curl "), count("holdfast "), count("python3 "));
    assert_eq!((curl + holdfast + python, python), (all.len(), 1));
    assert!(curl > 20 && holdfast > 10, "{curl} and {holdfast}");
    for step in all.iter().filter(|step| !step.line.starts_with("python3 ")) {
        reader.follow(step);
    }
    let [one, two] = &reader.files()[..] else { panic!("one by each way") };
    assert_eq!(one, two);
    assert!(one.lines().last().unwrap().starts_with(r#"{"end":"#), "{one}");
}

#[test]
fn the_commands_of_the_protocol_for_an_export_bring_its_file() {
    let mut reader = Reader::start();
    let blocks = blocks(&document("protocol.md"), "sh");
    let [ask, file] = &steps(&blocks.concat())[..] else { panic!("to ask for it, and to get it") };
    reader.follow(ask);
    reader.follow(file);
    let [export] = &reader.files()[..] else { panic!("one file") };
    assert!(export.lines().last().unwrap().starts_with(r#"{"end":"#), "{export}");
}

#[test]
fn no_command_of_the_document_stands_where_nobody_runs_it() {
    let fenced: String = blocks(&text(), "sh").concat();
    for line in text().lines() {
        let typed =
            ["curl ", "holdfast ", "python3 "].iter().any(|it| line.trim_start().starts_with(it));
        assert!(!typed || fenced.contains(line), "{line}");
    }
}
