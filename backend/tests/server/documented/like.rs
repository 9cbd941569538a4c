//! Comparing an answer with the one that a document has in its place.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A number from here on is a time.
const TIMES: u64 = 1_000_000_000_000;

/// What has come in place of the ids and tokens of the document.
#[derive(Debug, Default)]
pub struct Learned {
    values: BTreeMap<String, String>,
    /// What the document calls by these names.
    names: BTreeMap<&'static str, String>,
}

impl Learned {
    /// The same words with what has come.
    pub fn instead(&self, text: String) -> String {
        self.values.iter().fold(text, |text, (said, is)| text.replace(said, is))
    }

    pub fn named(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().map(|(name, value)| (*name, &**value))
    }

    /// `$ID` is the job that was named last, `$JOB` the export.
    pub fn name(&mut self, is: &Value) {
        let id = is["id"].as_str().or_else(|| is["jobs"][0]["id"].as_str());
        self.names.extend(id.map(|id| ("ID", id.to_owned())));
        self.names.extend(is["job"].as_str().map(|job| ("JOB", job.to_owned())));
    }

    /// Whether this is what was said. `…` stands for whatever there is; ids, tokens and times are
    /// others, and each id and token of the document is one and the same wherever it stands.
    pub fn compare(&mut self, said: &Value, is: &Value) -> Result<(), String> {
        let other = || Err(format!("{is}, not {said}"));
        match (said, is) {
            (Value::Object(said), Value::Object(is)) => {
                for (name, value) in said.iter().filter(|(name, _)| *name != "…") {
                    let is = is.get(name).ok_or_else(|| format!("there is no {name}"))?;
                    match (&**name, value.as_u64(), is.as_u64()) {
                        // It is drawn by chance.
                        ("due_in_ms", Some(said), Some(is)) if said <= is * 2 && is <= said * 2 => {
                        }
                        _ => self.compare(value, is).map_err(|why| format!("{name}: {why}"))?,
                    }
                }
                let more =
                    is.keys().find(|name| !said.contains_key("…") && !said.contains_key(*name));
                more.map_or(Ok(()), |name| Err(format!("nothing is said of {name}")))
            }
            (Value::Array(said), Value::Array(is)) if said.len() == is.len() => {
                said.iter().zip(is).try_for_each(|(said, is)| self.compare(said, is))
            }
            (Value::String(said), Value::String(is)) => self.text(said, is),
            (Value::Number(said), Value::Number(is)) => {
                let times = [said, is].map(|it| it.as_u64().is_some_and(|it| it >= TIMES));
                if times == [true; 2] || said == is { Ok(()) } else { other() }
            }
            _ if said == is => Ok(()),
            _ => other(),
        }
    }

    fn text(&mut self, said: &str, is: &str) -> Result<(), String> {
        if let Some(begins) = said.strip_suffix('…') {
            let same = is.starts_with(begins)
                || is.get(..begins.len()).is_some_and(|it| alike(begins, it));
            return if same { Ok(()) } else { Err(format!("{is}, not {said}")) };
        }
        if said.len() > 16 && alike(said, is) {
            let known = self.values.entry(said.to_owned()).or_insert_with(|| is.to_owned());
            return if known == is { Ok(()) } else { Err(format!("{is}, but {said} was {known}")) };
        }
        if said == is { Ok(()) } else { Err(format!("{is}, not {said}")) }
    }
}

/// Whether both are ids, or tokens with the same fence, as far as they go.
fn alike(said: &str, is: &str) -> bool {
    let digit = |it: char| it.is_ascii_hexdigit();
    let same = |(a, b): (char, char)| a == b && a == '-' || digit(a) && digit(b);
    let fence = |text: &str| text.split_once('-').map(|(fence, _)| fence.to_owned());
    let (one, other) = (fence(said), fence(is));
    let fences = one == other || one.is_some_and(|fence| fence.len() == 8);
    fences && said.contains('-') && said.len() == is.len() && said.chars().zip(is.chars()).all(same)
}

#[test]
fn ids_and_tokens_are_others_but_the_same_ones_throughout_and_all_else_is_as_it_is_said() {
    let id = |last: char| format!("01a200a0-4e4d-71fe-8079-1d16449bdd9{last}");
    let said = json!({ "id": id('2'), "token": "1-979067e04b89d42b", "at": TIMES, "n": 7, "…": 0 });
    let is =
        json!({ "id": id('5'), "token": "1-0000000000000000", "at": TIMES + 5, "n": 7, "x": 1 });
    let mut learned = Learned::default();
    assert_eq!(learned.compare(&said, &is), Ok(()));
    assert_eq!(learned.instead(format!("jobs/{}/x", id('2'))), format!("jobs/{}/x", id('5')));
    assert_eq!(learned.compare(&json!("01a200a0-…"), &json!(id('7'))), Ok(()));
    for (said, is) in [
        (json!({ "id": id('2') }), json!({ "id": id('6') })),
        (json!("2-bb45e909db5878f9"), json!("3-bb45e909db5878f9")),
        (json!("done"), json!("dead")),
        (json!("whsec_…"), json!("secret")),
        (json!(7), json!(8)),
        (json!(TIMES), json!(7)),
        (json!({ "due_in_ms": 580 }), json!({ "due_in_ms": 5_800 })),
        (json!({ "a": 1 }), json!({ "a": 1, "b": 2 })),
        (json!({ "a": 1, "…": 0 }), json!({ "b": 2 })),
        (json!([1]), json!([1, 2])),
        (json!(null), json!({})),
    ] {
        assert!(learned.compare(&said, &is).is_err(), "{said} and {is}");
    }
}
