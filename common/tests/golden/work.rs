//! Every frame of `holdfast-work.v1`, each way, and what `docs/protocol.md` says of them.

use crate::{
    document::{TEXT, blocks, name, table, value},
    files::{file, stems},
    frames::is_of,
    unknown, work_samples as samples,
};
use holdfast_common::{
    codec::work as codec,
    consumer::{CHANGES, PAGE_JOBS, PUSHED},
    frame::work::{Brings, Brought, SERVER_FRAMES, SUBPROTOCOL, WorkClient, WorkServer},
    job::{
        Reason,
        limits::{CREDIT, REASON_BYTES, RESULT_BYTES, SUBSCRIPTIONS},
    },
    limits::OPEN_REQUESTS,
};
use serde::de::DeserializeOwned;
use std::{collections::BTreeSet, fmt::Debug};

/// What examples of this protocol are marked with.
pub const INFOS: [&str; 2] = ["json work client", "json work server"];

names! { CLIENT, of_client, WorkClient:
    Hello = "hello" Consume = "consume" Credit = "credit" Unconsume = "unconsume"
    Enqueue = "enqueue" Take = "take" Complete = "complete" Fail = "fail" Extend = "extend"
    Snooze = "snooze" Watch = "watch" Unwatch = "unwatch" More = "more" Govern = "govern"
    Ping = "ping"
}

names! { SERVER, of_server, WorkServer:
    Welcome = "welcome" Consuming = "consuming" Leased = "leased" Enqueued = "enqueued"
    Did = "did" Refused = "refused" Board = "board" Moved = "moved" Page = "page"
    Figures = "figures" Lost = "lost" Pong = "pong" Away = "away"
}

#[test]
fn each_work_frame_of_a_client_is_read_and_written_as_it_was() {
    for (stem, frame, payload) in samples::client_frames() {
        let written = match payload {
            Some(payload) => codec::write_client_with(&frame, payload),
            None => codec::write_client(&frame),
        };
        let held = file(&format!("wire/work-v1/client/{stem}.frame"), &written);
        assert_eq!(held, written, "{stem}");
        let read = codec::read_client(held.as_bytes()).expect(stem);
        assert_eq!(read.frame, frame, "{stem}");
        assert_eq!(read.payload, payload.unwrap_or_default().as_bytes(), "{stem}");
        assert!(is_of(stem, of_client(&read.frame)), "{stem}");
    }
}

#[test]
fn each_work_frame_of_a_server_is_read_and_written_as_it_was() {
    for (stem, frame) in samples::server_frames() {
        let written = codec::write_server(&frame);
        let held = file(&format!("wire/work-v1/server/{stem}.frame"), &written);
        assert_eq!(held, written, "{stem}");
        let read = codec::read_server(&held).expect(stem).expect(stem);
        assert_eq!(format!("{read:?}"), format!("{frame:?}"), "{stem}");
        assert!(is_of(stem, of_server(&read)), "{stem}");
    }
}

/// As in its file, and read out of it again as the same, whatever a newer peer says more.
fn is_held_beside<T>(path: &str, written: &str, members: &T)
where
    T: DeserializeOwned + Default + Debug,
{
    let held = file(path, written);
    assert_eq!(held, written, "{path}");
    let more = unknown::more(&held, true);
    for text in [held, more] {
        let read: T = codec::read_beside(&text).expect(path);
        assert_eq!(format!("{read:?}"), format!("{members:?}"), "{path}");
    }
}

#[test]
fn what_stands_beside_a_work_frame_of_a_client_is_read_and_written_as_it_was() {
    let (frame, brings) = samples::complete_brings();
    let written = codec::write_client_beside(&frame, &brings);
    is_held_beside("wire/work-v1/client/complete-brings.frame", &written, &brings);
    let read = codec::read_client(written.as_bytes()).expect("it is a frame");
    assert_eq!(read.frame, frame);
    assert_eq!(format!("{:?}", read.brings), format!("{brings:?}"));
    let (frame, patience) = samples::fail_patience();
    let written = codec::write_client_beside(&frame, &patience);
    is_held_beside("wire/work-v1/client/fail-patience.frame", &written, &patience);
    let read = codec::read_client(written.as_bytes()).expect("it is a frame");
    assert_eq!((read.frame, read.patience), (frame, patience));
}

#[test]
fn what_stands_beside_a_work_frame_of_a_server_is_read_and_written_as_it_was() {
    let (frame, brought) = samples::did_brought();
    let written = codec::write_server_beside(&frame, &brought);
    is_held_beside("wire/work-v1/server/did-brought.frame", &written, &brought);
    for (stem, frame, at) in samples::refused_at() {
        let written = codec::write_server_beside(&frame, &at);
        is_held_beside(&format!("wire/work-v1/server/{stem}.frame"), &written, &at);
        let read = codec::read_server(&written).expect(stem).expect(stem);
        assert_eq!(format!("{read:?}"), format!("{frame:?}"), "{stem}");
    }
}

#[test]
fn a_work_frame_with_nothing_beside_it_is_written_as_it_is_without() {
    for (stem, frame, _) in samples::client_frames() {
        let written = codec::write_client_beside(&frame, &Brings::default());
        assert_eq!(written, codec::write_client(&frame), "{stem}");
    }
    for (stem, frame) in samples::server_frames() {
        let written = codec::write_server_beside(&frame, &Brought::default());
        assert_eq!(written, codec::write_server(&frame), "{stem}");
    }
}

#[test]
fn every_work_frame_there_is_has_its_file_and_every_file_its_frame() {
    let mut clients: BTreeSet<&str> = samples::client_frames().iter().map(|it| it.0).collect();
    let mut servers: BTreeSet<&str> = samples::server_frames().iter().map(|it| it.0).collect();
    clients.extend(["complete-brings", "fail-patience"]);
    servers.extend(["did-brought", "refused-event", "refused-job"]);
    for (folder, names, samples) in
        [("wire/work-v1/client", CLIENT, clients), ("wire/work-v1/server", SERVER, servers)]
    {
        let stems = stems(folder);
        for name in names {
            assert!(stems.iter().any(|stem| is_of(stem, name)), "{folder} has no {name}");
        }
        for stem in &stems {
            assert!(samples.contains(stem.as_str()), "{folder}: who reads {stem}?");
        }
    }
    assert_eq!(SERVER, SERVER_FRAMES);
}

#[test]
fn members_that_a_newer_peer_adds_to_a_work_frame_are_not_looked_at() {
    for (stem, frame, payload) in samples::client_frames() {
        let head = codec::write_client(&frame);
        let more = unknown::more(&head, true) + "\n" + payload.unwrap_or_default();
        let read = codec::read_client(more.as_bytes()).expect(stem);
        assert_eq!(read.frame, frame, "{stem}");
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
fn a_work_frame_of_a_newer_server_is_passed_over_and_a_broken_one_is_not() {
    assert!(codec::read_server(r#"{"wish":{"any":1}}"#).expect("it is a frame").is_none());
    for broken in [r#"{"lost":{"job":1}}"#, r#"{"wish":{},"more":{}}"#, "{}", "null", "{"] {
        assert!(codec::read_server(broken).is_err(), "{broken}");
    }
}

#[test]
fn a_reason_of_a_newer_server_is_read_as_another_one() {
    let id = "0199c82c-c000-7100-8100-000000000001";
    let lost = format!(r#"{{"lost":{{"job":"{id}","fence":42,"reason":"eclipsed"}}}}"#);
    let lost = codec::read_server(&lost).expect("it is a frame");
    assert!(matches!(lost, Some(WorkServer::Lost(lost)) if lost.reason == Reason::Other));
}

#[test]
fn every_example_of_a_work_frame_is_one_and_there_is_one_of_each() {
    let (mut clients, mut servers) = (BTreeSet::new(), BTreeSet::new());
    for (info, text) in blocks() {
        let head = text.lines().next().unwrap_or_default();
        match info {
            "json work client" => {
                let read = codec::read_client(text.as_bytes());
                read.unwrap_or_else(|error| panic!("{error}\n{text}"));
                clients.extend(value(head).as_object().map(name));
            }
            "json work server" => {
                let read = codec::read_server(&text);
                let read = read.unwrap_or_else(|error| panic!("{error}\n{text}"));
                servers.extend(read.map(|frame| of_server(&frame).to_owned()));
            }
            _ => {}
        }
    }
    assert_eq!(clients, CLIENT.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(servers, SERVER.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn the_tables_name_every_work_frame_and_no_other() {
    let listed = |head| -> BTreeSet<&str> {
        let cells = table(head).into_iter().map(|row| row[0]);
        cells.flat_map(|cell| cell.split_whitespace()).map(|it| it.trim_matches('`')).collect()
    };
    let clients = listed("| from a client of jobs | with | answered by |");
    assert_eq!(clients, CLIENT.iter().copied().collect());
    let servers = listed("| to a client of jobs | with | tells |");
    assert_eq!(servers, SERVER.iter().copied().collect());
    assert!(TEXT.contains(&format!("\n## 17. The protocol `{SUBPROTOCOL}`\n")));
}

#[test]
fn the_limits_of_a_work_connection_are_those_of_the_code() {
    let listed = table("| of a connection of jobs | limit | past it |");
    let listed: Vec<_> = listed.iter().map(|row| (row[0], row[1].to_owned())).collect();
    let code = [
        ("bytes of a result, of a failure", RESULT_BYTES.to_string()),
        ("bytes of a text that is looked for in errors", REASON_BYTES.to_string()),
        ("open requests", OPEN_REQUESTS.to_string()),
        ("subscriptions to jobs, and as many to boards", SUBSCRIPTIONS.to_string()),
        ("credit of a subscription", CREDIT.to_string()),
        ("jobs asked for at once for a subscription", PUSHED.to_string()),
        ("changed jobs that wait for a board", CHANGES.to_string()),
        ("jobs of a place on a board, and of a page", PAGE_JOBS.to_string()),
    ];
    assert_eq!(listed, code);
}
