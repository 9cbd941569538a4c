//! `docs/protocol.md` says what the code does: its examples are frames, and its tables the code's.

use crate::frames::{CLIENT, SERVER};
use holdfast_common::{
    chat::{Chat, Delete, Edit, Message, ReadMarker, RoomCreated, Typing},
    codec,
    cursor::{Mark, Offset},
    error::{Code, Kind},
    event::{Class, Durable, EventType, Namespace},
    frame::{ClientFrame, SUBPROTOCOL},
    id::EventId,
    job,
    limits::{
        Limits, MOST_INBOXES, MOST_LANES, MOST_ROOMS, MOST_VERDICTS, OPEN_REQUESTS, PAGE_BYTES,
        PRESENCE_MOST, SECRET_BYTES,
    },
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub const TEXT: &str = include_str!("../../../docs/protocol.md");

/// The fenced blocks with their info strings.
pub fn blocks() -> Vec<(&'static str, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, Vec<&str>)> = None;
    for line in TEXT.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => open = Some((info, Vec::new())),
            (Some(_), Some((info, lines))) => {
                blocks.push((*info, lines.join("\n")));
                open = None;
            }
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block does not end");
    blocks
}

pub fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The rows of the tables with this head, without the code quotes around a whole cell.
pub fn table(head: &str) -> Vec<Vec<&'static str>> {
    let mut rows = Vec::new();
    let mut lines = TEXT.lines();
    while lines.by_ref().any(|line| line == head) {
        let body = lines.by_ref().skip(1).take_while(|line| line.starts_with('|'));
        rows.extend(body.map(|line| {
            let cells = line.trim_matches('|').split(" | ");
            cells.map(|cell| cell.trim().trim_matches('`')).collect::<Vec<_>>()
        }));
    }
    assert!(!rows.is_empty(), "there is no table {head}");
    rows
}

#[test]
fn every_example_of_a_clients_frame_is_one() {
    let mut seen = BTreeSet::new();
    for (info, text) in blocks() {
        let text = match info {
            "json client" => text,
            "json client lines" => value(&text).to_string(),
            _ => continue,
        };
        let read = codec::read_client(text.as_bytes());
        let read = read.unwrap_or_else(|error| panic!("{error}\n{text}"));
        seen.extend(value(text.lines().next().expect("it has a line")).as_object().map(name));
        if let ClientFrame::Emit(emit) = read.frame {
            let payload = std::str::from_utf8(read.payload).expect("the page is UTF-8");
            let event = Chat::read(&emit.kind, payload).expect("the type is of the chat");
            event.unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert!(emit.floor < emit.n, "{text}");
        }
    }
    assert_eq!(seen, CLIENT.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn every_example_of_a_servers_frame_is_one() {
    let mut seen = BTreeSet::new();
    for (info, text) in blocks() {
        if info == "json server" {
            codec::read_server(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
            seen.extend(value(&text).as_object().map(name));
        }
    }
    assert_eq!(seen, SERVER.iter().map(|name| (*name).to_owned()).collect());
}

pub fn name(frame: &serde_json::Map<String, Value>) -> String {
    frame.keys().next().expect("a frame has a name").clone()
}

#[test]
fn every_example_and_every_table_names_known_things_only() {
    for (info, text) in blocks() {
        let infos = ["json", "json client", "json client lines", "json server", "sh"];
        let known = infos.contains(&info) || crate::work::INFOS.contains(&info);
        assert!(known, "{info}");
        if info == "json" {
            value(&text);
        }
    }
    let listed = |head| -> BTreeSet<&str> {
        let cells = table(head).into_iter().map(|row| row[0]);
        cells.flat_map(|cell| cell.split_whitespace()).map(|it| it.trim_matches('`')).collect()
    };
    let clients = listed("| from client | answered by | section |");
    assert_eq!(clients, CLIENT.iter().copied().collect());
    let servers = listed("| from server | tells | section |");
    assert_eq!(servers, SERVER.iter().copied().collect());
    assert!(TEXT.starts_with(&format!("# The protocol `{SUBPROTOCOL}`\n")));
}

/// The log that all examples are of.
fn log() -> BTreeMap<Offset, (EventId, String)> {
    let rows = table("| offset | id | mark |");
    let row = |row: Vec<&str>| {
        let offset = row[0].parse().expect("an offset is a number");
        (offset, (row[1].parse().expect("an id is an id"), row[2].to_owned()))
    };
    rows.into_iter().map(row).collect()
}

#[test]
fn the_marks_follow_from_the_formula() {
    let mut mark = Mark::START;
    for (offset, (id, written)) in log() {
        mark = mark.next(offset, id);
        assert_eq!(mark.to_string(), written);
    }
    // The first one by hand, as the page says it.
    let (first, written) = &log()[&1];
    let hex: String = first.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let bytes = format!("{:016x} {:016x} {hex}", 0, 1);
    assert!(TEXT.contains(&format!("`{bytes}`")));
    let digits: Vec<u8> = bytes.bytes().filter(|byte| *byte != b' ').collect();
    let digest = digits.chunks(2).fold(0xcbf2_9ce4_8422_2325_u64, |digest, pair| {
        let pair = std::str::from_utf8(pair).expect("digits are ASCII");
        let byte = u64::from_str_radix(pair, 16).expect("they are hexadecimal");
        (digest ^ byte).wrapping_mul(0x0100_0000_01b3)
    });
    assert_eq!(format!("{digest:016x}"), *written);
}

#[test]
fn every_place_in_an_example_is_of_the_one_log() {
    fn walk(value: &Value, log: &BTreeMap<Offset, (EventId, String)>) {
        if let (Some(offset), Some(mark)) = (value["offset"].as_u64(), value["mark"].as_str()) {
            let (id, known) = &log[&offset];
            assert_eq!(mark, known, "{value}");
            assert!(value["id"].is_null() || value["id"] == id.to_string(), "{value}");
        }
        match value {
            Value::Array(items) => items.iter().for_each(|item| walk(item, log)),
            Value::Object(members) => members.values().for_each(|member| walk(member, log)),
            _ => {}
        }
    }
    let log = log();
    for (info, text) in blocks() {
        match info {
            "json client lines" | "json server" => walk(&value(&text), &log),
            "json client" => walk(&value(text.lines().next().expect("it has a line")), &log),
            _ => {}
        }
    }
}

#[test]
fn the_codes_are_those_of_the_code() {
    let kind = |code: &Code| match code.kind() {
        Kind::Reject => "reject",
        Kind::RetryAfter => "retry-after",
        Kind::Close => "close",
    };
    let cell = |text: &str| text.to_owned();
    let row = |code: &Code| {
        [cell(code.name()), cell(kind(code)), code.number().to_string(), cell(code.text())]
    };
    let events = Code::ALL.iter().filter(|code| code.kind() != Kind::Close).map(row);
    let row_of_job = |code: &job::Code| {
        let kind = if code.kind() == Kind::Reject { "reject" } else { "retry-after" };
        [cell(code.name()), cell(kind), code.status().to_string(), cell(code.text())]
    };
    let events = events.chain(job::Code::ALL.iter().map(row_of_job));
    assert_eq!(table("| code | kind | number | meaning |"), events.collect::<Vec<_>>());
    let row = |code: &Code| {
        let again = match code {
            Code::Fenced => "yes, as a new writer",
            code if code.may_reconnect() => "yes",
            _ => "no",
        };
        let number = code.close_number().expect("it closes");
        (number, [number.to_string(), cell(code.name()), cell(code.text()), cell(again)])
    };
    let closes = Code::ALL.iter().filter(|code| code.close_number().is_some()).map(row);
    let closes: BTreeMap<_, _> = closes.collect();
    let closes: Vec<_> = closes.into_values().collect();
    assert_eq!(table("| number | code | meaning | connect again? |"), closes);
}

#[test]
fn the_limits_are_those_of_the_code() {
    let written = serde_json::to_value(Limits::default()).expect("limits are JSON");
    let written: BTreeMap<String, Value> = serde_json::from_value(written).expect("an object");
    let rows = table("| limit | default | is |");
    let listed = rows.iter().map(|row| (row[0].to_owned(), value(row[1])));
    assert_eq!(listed.collect::<BTreeMap<_, _>>(), written);
    let limits = Limits::default();
    let slack = limits.frame_bytes() - 2 * limits.payload_bytes as usize;
    assert!(TEXT.contains(&format!("2 × `payload_bytes` + {slack} | close 4402")));
    assert!(TEXT.contains(&format!("| open requests | {OPEN_REQUESTS} |")));
    let rooms = format!("| rooms of one hello | {MOST_ROOMS}, and {MOST_INBOXES} inboxes |");
    assert!(TEXT.contains(&rooms));
    assert!(TEXT.contains(&format!("| lanes of one hello | {MOST_LANES} |")));
    let verdicts = format!("| verdicts above the floors of one hello's lanes | {MOST_VERDICTS} |");
    assert!(TEXT.contains(&verdicts));
    let (least, most) = SECRET_BYTES.into_inner();
    assert!(TEXT.contains(&format!("| bytes of a secret | {least} to {most} |")));
    assert!(TEXT.contains(&format!("a room with more than {PRESENCE_MOST} people")));
    assert!(TEXT.contains(&format!("the {}st person", PRESENCE_MOST + 1)));
    assert!(TEXT.contains(&format!("| {PAGE_BYTES}, or one item | the page has fewer items")));
}

#[test]
fn the_chats_events_are_those_of_the_code() {
    fn row<E: EventType>() -> (&'static str, Class) {
        (E::NAME, E::CLASS)
    }
    fn counted<E: Durable>() -> (&'static str, &'static str) {
        (E::NAME, if E::COUNTS { "yes" } else { "no" })
    }
    let table = table("| type | class | payload | does | counts as new | reply | who may |");
    let class = |name: &str| match name {
        "durable" => Class::Durable,
        "volatile" => Class::Volatile,
        "latest" => Class::Latest,
        other => panic!("no class: {other}"),
    };
    let listed: Vec<(&str, Class)> = table.iter().map(|row| (row[0], class(row[1]))).collect();
    let all = [
        row::<Message>(),
        row::<Edit>(),
        row::<Delete>(),
        row::<RoomCreated>(),
        row::<Typing>(),
        row::<ReadMarker>(),
    ];
    assert_eq!(listed, all);
    let durable = table.iter().filter(|row| row[1] == "durable");
    let listed: Vec<(&str, &str)> = durable.map(|row| (row[0], row[4])).collect();
    let all =
        [counted::<Message>(), counted::<Edit>(), counted::<Delete>(), counted::<RoomCreated>()];
    assert_eq!(listed, all);
}
