use super::*;
use crate::{
    backoff::Dice,
    client::{Row, Show, Write},
    frame::{ClientFrame, ServerFrame},
};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Texts of every kind that the page reads.
const TEXTS: &[&str] = &[
    r#"{"key":7,"id":"01a1f907-bf5e-79a2-8f05-d7a3c7303735","ns":"chat","room":"01a1f907-bb5c-7987-aebb-5f9727afdd61","type":"message","data":"{\"text\":\"h\u00e9 \ud83d\ude00\"}","target":null,"at":1795179396958,"state":{"state":"sent","n":1}}"#,
    r#"{"entries":{"room":"01a1f907-bb5c-7987-aebb-5f9727afdd61","epoch":"01a1f907-bb5c-7cbd-971e-205c2a128b34","entries":[{"offset":2,"mark":"8b139437c695e7b0","id":"01a1f907-bf5e-79a2-8f05-d7a3c7303735","type":"message","from":{"id":"01a1f907-bec9-71d5-a1ce-3514c9fde9a4","name":"Ann"},"at":1795179396979,"data":{"text":"hi", "n": -1.5e3, "deep": [[{"a":[]}]]}}]}}"#,
    r#"{"Show":{"Link":{"link":"offline","retry_in":5,"why":"draining"}}}"#,
    r#"{"Link":{"link":"blocked","why":null,"storage":true}}"#,
    r#"{"found":{"req":3,"room":"01a1f907-bb5c-7987-aebb-5f9727afdd61","epoch":"01a1f907-bb5c-7cbd-971e-205c2a128b34","found":[["01a1f907-bf5e-79a2-8f05-d7a3c7303735",4]]}}"#,
    r#"{"presence":{"room":"01a1f907-bb5c-7987-aebb-5f9727afdd61","all":true,"came":[{"id":"01a1f907-bec9-71d5-a1ce-3514c9fde9a4","name":"Ann"}],"later":{"x":[1,2,{}]}}}"#,
    r#"{"pong":{"n":18446744073709551615}}"#,
    r#"{"Gap":{"room":"01a1f907-bb5c-7987-aebb-5f9727afdd61","from":1,"to":2,"count":2,"reason":"something newer","cursor":{"epoch":"01a1f907-bb5c-7cbd-971e-205c2a128b34","offset":2,"mark":"8b139437c695e7b0"}}}"#,
];

/// Where both readers accept a text, they read the same.
fn agree<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> bool {
    let (ours, theirs) = (read::<T>(text), serde_json::from_str::<T>(text));
    if let (Ok(ours), Ok(theirs)) = (&ours, &theirs) {
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "{text}");
    }
    assert!(ours.is_err() || theirs.is_ok(), "only this one reads {text}");
    ours.is_ok()
}

fn agree_on_all(text: &str) -> bool {
    [
        agree::<Row>(text),
        agree::<Write>(text),
        agree::<Show>(text),
        agree::<ServerFrame>(text),
        agree::<ClientFrame>(text),
        agree::<Vec<Box<RawValue>>>(text),
        agree::<Box<RawValue>>(text),
        agree::<(u64, Option<String>)>(text),
    ]
    .contains(&true)
}

#[test]
fn it_reads_what_serde_json_reads_and_the_same() {
    for text in TEXTS {
        assert!(agree_on_all(text), "{text}");
    }
    for text in ["0", "-0", "12", "-7", "true", "null", "\"\"", "[]", "{}", " [1 , 2] ", "1e9"] {
        assert!(agree::<Box<RawValue>>(text), "{text}");
    }
}

#[test]
fn what_is_no_json_is_unreadable_and_nothing_panics() {
    for text in [
        "",
        " ",
        "{",
        "[1,]",
        "[,1]",
        "{\"a\":1,}",
        "{\"a\"}",
        "01",
        "-",
        "1.",
        "1e",
        ".5",
        "nul",
        "\"",
        "\"\\x\"",
        "\"\u{1}\"",
        "[1 2]",
        "1 1",
        "{]",
        "[}",
        "{\"a\":1]",
        "\"\\u12\"",
        "\"\\u+123\"",
    ] {
        assert!(read::<Box<RawValue>>(text).is_err(), "{text}");
        assert!(serde_json::from_str::<Box<RawValue>>(text).is_err(), "{text}");
    }
    // Let through unread, as half a pair; unreadable as text.
    for text in ["\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\""] {
        assert!(agree::<Box<RawValue>>(text) && !agree::<String>(text), "{text}");
    }
    let deep = "[".repeat(1_000_000);
    assert!(read::<Box<RawValue>>(&deep).is_err());
    assert_eq!(read::<f64>(" -1.5e3 "), Ok(-1_500.0));
    assert_eq!(read::<(f32, f64)>("[2,0.1]"), Ok((2.0, 0.1)));
    assert_eq!(read::<f64>("1e999"), Err(Unreadable));
    assert_eq!(read::<serde_json::Value>("{\"a\":[1.5,-2,\"x\"]}").unwrap()["a"][0], 1.5);
    assert_eq!(read::<u64>("18446744073709551616"), Err(Unreadable));
    assert_eq!(read::<i64>("-9223372036854775808"), Ok(i64::MIN));
    assert_eq!(read::<u8>("256"), Err(Unreadable));
}

/// Texts that are nearly right.
#[test]
fn of_spoilt_texts_it_reads_none_that_serde_json_does_not() {
    let mut dice = Dice::new(1);
    let mut pick = |most: usize| usize::try_from(dice.up_to(most as u64 - 1)).unwrap();
    let bits = ["\"", "{", "}", "[", "]", ",", ":", "\\", "\\u00e9", "0", "-", "null", "é", " "];
    let mut read_all = 0;
    for _ in 0..20_000 {
        let mut text = TEXTS[pick(TEXTS.len())].to_owned();
        for _ in 0..=pick(2) {
            let at = pick(text.len());
            if !text.is_char_boundary(at) {
                continue;
            }
            match pick(4) {
                0 => text.truncate(at),
                1 => text.insert_str(at, bits[pick(bits.len())]),
                2 if text.is_char_boundary(at + 1) => drop(text.remove(at)),
                _ => {
                    let from = pick(text.len());
                    if text.is_char_boundary(from) {
                        let piece = text[from.min(at)..from.max(at)].to_owned();
                        text.insert_str(at, &piece);
                    }
                }
            }
            if text.is_empty() {
                break;
            }
        }
        read_all += usize::from(agree_on_all(&text));
    }
    assert!(read_all > 500, "most were not JSON at all: {read_all}");
}

#[test]
fn arrays_and_names_are_taken_apart_unread() {
    assert_eq!(elements(" [1, {\"a\":[2]} ,\"x,y\"]"), Ok(vec!["1", "{\"a\":[2]}", "\"x,y\""]));
    assert_eq!(elements("[]"), Ok(Vec::new()));
    assert_eq!(elements("[1"), Err(Unreadable));
    assert_eq!(only_name("{\"new\\u0065r\":[1]}").as_deref(), Some("newer"));
    assert_eq!(only_name("{\"a\":1,\"b\":2}"), None);
    assert_eq!(only_name("{}"), None);
}

#[test]
fn a_struct_is_read_from_an_object_alone() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Pair {
        a: u8,
        b: Option<bool>,
    }
    assert_eq!(read("{\"b\":true,\"c\":[null],\"a\":1}"), Ok(Pair { a: 1, b: Some(true) }));
    assert_eq!(read("{\"a\":1}"), Ok(Pair { a: 1, b: None }));
    assert_eq!(read::<Pair>("[1,true]"), Err(Unreadable));
    assert_eq!(read::<Pair>("{\"a\":1,\"a\":1}"), Err(Unreadable));
}
