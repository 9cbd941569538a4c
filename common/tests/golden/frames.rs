//! Every frame, each way.

use crate::{
    files::{file, stems},
    samples, unknown,
};
use holdfast_common::{
    client::{self, Client, Snapshot},
    codec,
    error::Code,
    frame::{ClientFrame, ServerFrame},
    id::{ConnectionId, SessionId},
    limits::Limits,
    session::{self, Session},
    time::Instant,
};
use std::{collections::BTreeSet, sync::Arc};

names! { CLIENT, of_client, ClientFrame:
    Hello = "hello" Emit = "emit" Signal = "signal" Latest = "latest" Join = "join"
    Leave = "leave" History = "history" Ask = "ask" Ping = "ping"
}

names! { SERVER, of_server, ServerFrame:
    Welcome = "welcome" Rooms = "rooms" Entries = "entries" Reset = "reset" Gap = "gap"
    Page = "page" Live = "live" Ack = "ack" Reject = "reject" Retry = "retry" Settled = "settled"
    Expected = "expected" Signal = "signal" Latest = "latest" Stored = "stored"
    Presence = "presence" Joined = "joined" Left = "left" Found = "found" Refused = "refused"
    Pong = "pong" Away = "away"
}

fn client_path(stem: &str) -> String {
    format!("wire/v1/client/{stem}.frame")
}

fn server_path(stem: &str) -> String {
    format!("wire/v1/server/{stem}.frame")
}

/// `page-asked` is a `page`.
pub fn is_of(stem: &str, name: &str) -> bool {
    stem.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[test]
fn each_frame_of_a_client_is_read_and_written_as_it_was() {
    for (stem, frame, payload) in samples::client_frames() {
        let written = match payload {
            Some(payload) => codec::write_client_with(&frame, payload),
            None => codec::write_client(&frame),
        };
        let held = file(&client_path(stem), &written);
        assert_eq!(held, written, "{stem}");
        let read = codec::read_client(held.as_bytes()).expect(stem);
        assert_eq!(format!("{:?}", read.frame), format!("{frame:?}"), "{stem}");
        assert_eq!(read.payload, payload.unwrap_or_default().as_bytes(), "{stem}");
        assert!(is_of(stem, of_client(&read.frame)), "{stem}");
    }
}

#[test]
fn each_frame_of_a_server_is_read_and_written_as_it_was() {
    for (stem, frame) in samples::server_frames() {
        let written = codec::write_server(&frame);
        let held = file(&server_path(stem), &written);
        assert_eq!(held, written, "{stem}");
        let read = codec::read_server(&held).expect(stem).expect(stem);
        assert_eq!(format!("{read:?}"), format!("{frame:?}"), "{stem}");
        assert!(is_of(stem, of_server(&read)), "{stem}");
    }
}

#[test]
fn a_code_keeps_its_name_its_kind_and_its_number() {
    let line = |code: &Code| format!("{} {:?} {}\n", code.name(), code.kind(), code.number());
    let all: Vec<String> = Code::ALL.iter().map(line).collect();
    let held = file("wire/v1/codes.txt", &all.concat());
    for old in held.split_inclusive('\n') {
        assert!(all.iter().any(|code| code == old), "{old}");
    }
}

#[test]
fn a_code_that_ends_a_connection_keeps_its_number() {
    let line = |code: &Code| Some(format!("{} {}\n", code.close_number()?, code.name()));
    let all: Vec<String> = Code::ALL.iter().filter_map(line).collect();
    let held = file("wire/v1/closes.txt", &all.concat());
    for old in held.split_inclusive('\n') {
        assert!(all.iter().any(|code| code == old), "{old}");
    }
}

#[test]
fn entries_that_were_encoded_one_by_one_make_the_same_frame() {
    let ServerFrame::Entries(frame) = samples::server_frame("entries") else {
        panic!("it is an entries frame")
    };
    let entries: Vec<String> = frame.entries.iter().map(codec::write_entry).collect();
    let joined = codec::entries_frame(frame.room, frame.epoch, entries.iter().map(String::as_str));
    assert_eq!(joined, codec::write_server(&ServerFrame::Entries(frame)));
}

#[test]
fn every_frame_there_is_has_its_file_and_every_file_its_frame() {
    let clients: BTreeSet<&str> = samples::client_frames().iter().map(|it| it.0).collect();
    let servers: BTreeSet<&str> = samples::server_frames().iter().map(|it| it.0).collect();
    for (folder, names, samples) in
        [("wire/v1/client", CLIENT, clients), ("wire/v1/server", SERVER, servers)]
    {
        let stems = stems(folder);
        for name in names {
            assert!(stems.iter().any(|stem| is_of(stem, name)), "{folder} has no {name}");
        }
        for stem in &stems {
            assert!(samples.contains(stem.as_str()), "{folder}: who reads {stem}?");
        }
    }
}

#[test]
fn members_that_a_newer_peer_adds_to_a_frame_are_not_looked_at() {
    for (stem, frame, payload) in samples::client_frames() {
        let head = codec::write_client(&frame);
        let more = unknown::more(&head, true) + "\n" + payload.unwrap_or_default();
        let read = codec::read_client(more.as_bytes()).expect(stem);
        assert_eq!(format!("{:?}", read.frame), format!("{frame:?}"), "{stem}");
        assert_eq!(read.payload, payload.unwrap_or_default().as_bytes(), "{stem}");
    }
    for (stem, frame) in samples::server_frames() {
        let text = codec::write_server(&frame);
        let read = codec::read_server(&unknown::more(&text, true)).expect(stem).expect(stem);
        let same = codec::read_server(&unknown::same(&text)).expect(stem).expect(stem);
        assert_eq!(format!("{read:?}"), format!("{same:?}"), "{stem}");
    }
}

#[test]
fn a_frame_that_the_server_does_not_know_closes_its_connection_with_a_code() {
    let limits = Limits::default();
    let mut session: Session<String> =
        Session::new(Instant(0), ConnectionId::NIL, limits, Arc::default());
    let out = session.handle(Instant(0), session::Input::Frame(br#"{"wish":{"any":1}}"#));
    assert!(matches!(out[..], [session::Output::Close(Code::BadFrame)]));
}

#[test]
fn a_frame_that_the_client_cannot_read_ends_its_connection_and_a_new_one_is_tried() {
    let mut client = Client::new(snapshot(), SessionId::NIL, 7);
    client.handle(Instant(0), client::Input::Start);
    let written = client::Input::Written { token: 1, result: Ok(()) };
    client.handle(Instant(0), written);
    client.handle(Instant(0), client::Input::Opened);
    let out = client.handle(Instant(0), client::Input::Frame(r#"{"ack":{"n":1}}"#.to_owned()));
    let closes = |output: &client::Output| matches!(output, client::Output::Close(code) if *code == Code::BadFrame.number());
    assert!(out.iter().any(closes));
    assert!(client.deadline().is_some());
}

fn snapshot() -> Snapshot {
    Snapshot {
        principal: samples::principal(),
        writer: samples::WRITER.parse().expect("it is an id"),
        generation: 0,
        rows: Vec::new(),
        lanes: Vec::new(),
        cursors: Vec::new(),
        latest: Vec::new(),
    }
}
