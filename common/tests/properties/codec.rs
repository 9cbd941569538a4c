//! Frames to bytes and back. What hostile bytes do is tried by `holdfast-hostile`.

use crate::{cases, frames};
use holdfast_common::{
    codec,
    error::Code,
    id::ConnectionId,
    limits::Limits,
    session::{Input, Output, Session},
    time::Instant,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What Debug shows of a value is all that there is of it.
fn shown(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}")
}

/// Members that hold an event's own JSON, to which nobody adds.
const RAW: [&str; 3] = ["data", "reply", "why"];

const CLIENT_FRAMES: [&str; 9] =
    ["hello", "emit", "signal", "latest", "join", "leave", "history", "ask", "ping"];

/// The same as a later version may write it: with a member more in each object.
fn later(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(later).collect(),
        Value::Object(members) => {
            let of = |(name, value): (String, Value)| {
                let raw = RAW.contains(&name.as_str());
                (name, if raw { value } else { later(value) })
            };
            let mut members: Map<String, Value> = members.into_iter().map(of).collect();
            members.insert("of_a_later_version".to_owned(), json!([{ "any": null }]));
            Value::Object(members)
        }
        other => other,
    }
}

/// A frame is an object of one member, so it is extended inside of that.
fn extended(text: &str) -> String {
    let Value::Object(frame) = serde_json::from_str(text).unwrap() else { panic!("{text}") };
    let inside = |(name, value)| (name, later(value));
    Value::Object(frame.into_iter().map(inside).collect()).to_string()
}

/// The same text in the order that an extended one has.
fn ordered(text: &str) -> String {
    serde_json::from_str::<Value>(text).unwrap().to_string()
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn a_clients_frame_is_read_as_it_was_written_and_its_payload_byte_by_byte(
        frame in frames::client(),
        payload in prop::option::of(".{0,20}|\n{1,3}"),
    ) {
        let text = match &payload {
            Some(payload) => codec::write_client_with(&frame, payload),
            None => codec::write_client(&frame),
        };
        let read = codec::read_client(text.as_bytes()).unwrap();
        prop_assert_eq!(shown(&read.frame), shown(&frame));
        let payload = payload.unwrap_or_default();
        prop_assert_eq!(read.payload, payload.as_bytes());
        let later = extended(&codec::write_client(&frame));
        let read = codec::read_client(later.as_bytes()).unwrap();
        prop_assert_eq!(shown(&read.frame), shown(&frame));
    }

    #[test]
    fn a_servers_frame_is_read_as_it_was_written(frame in frames::server()) {
        let text = codec::write_server(&frame);
        prop_assert_eq!(shown(&codec::read_server(&text).unwrap()), shown(&Some(frame)));
        let read = codec::read_server(&extended(&text)).unwrap();
        let same = codec::read_server(&ordered(&text)).unwrap();
        prop_assert!(read.is_some());
        prop_assert_eq!(shown(&read), shown(&same));
    }

    #[test]
    fn a_frame_of_another_name_is_passed_over_by_a_client_and_unreadable_to_a_server(
        frame in frames::server(),
        name in "[a-z_]{1,12}",
    ) {
        let Value::Object(frame) = serde_json::from_str(&codec::write_server(&frame)).unwrap() else {
            panic!("a frame is an object")
        };
        let (known, value) = frame.into_iter().next().unwrap();
        prop_assume!(name != known && !holdfast_common::frame::SERVER_FRAMES.contains(&name.as_str()));
        let text = json!({ &name: value }).to_string();
        prop_assert!(matches!(codec::read_server(&text), Ok(None)), "{}", text);
        if !CLIENT_FRAMES.contains(&name.as_str()) {
            prop_assert!(codec::read_client(text.as_bytes()).is_err(), "{}", text);
        }
    }

    #[test]
    fn bytes_that_are_no_frame_close_the_connection_with_a_code(
        bytes in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        prop_assume!(codec::read_client(&bytes).is_err());
        let (at, limits) = (Instant(0), Limits::default());
        let mut session: Session<String> =
            Session::new(at, ConnectionId::NIL, limits, Arc::default());
        let out = session.handle(at, Input::Frame(&bytes));
        prop_assert!(matches!(out[..], [Output::Close(Code::BadFrame)]), "{:?}", out);
        prop_assert!(codec::read_server(&String::from_utf8_lossy(&bytes)).is_err());
    }
}
