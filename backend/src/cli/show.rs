//! Answers for people.

use super::options::Word;
use serde_json::Value;
use std::fmt::Write as _;

/// Beyond it a text is cut in a line.
const CHARACTERS: usize = 60;

pub(super) fn shown(word: &Word, answer: &Value) -> String {
    match word {
        Word::List { .. } => queues(answer),
        Word::Jobs { .. } => jobs(answer),
        Word::Schedules { .. } => schedules(answer),
        Word::Audit { .. } => audit(answer),
        Word::Show { .. } => queue(answer),
        Word::Job { .. } => members(answer, 0),
        Word::Add { .. } => format!("{}\n", plain(&answer["id"])),
        Word::Requeue { .. } | Word::Discard { .. } | Word::Purge { .. } => {
            format!("{} jobs\n", plain(&answer["count"]))
        }
        Word::Cancel { .. } | Word::Mend { .. } => format!("{}\n", plain(&answer["state"])),
        Word::Pause { .. } => "paused\n".to_owned(),
        Word::Resume { .. } => "resumed\n".to_owned(),
        Word::Schedule { .. } | Word::ShowSchedule { .. } => members(answer, 0),
        Word::PauseSchedule { .. } | Word::ResumeSchedule { .. } => {
            format!("{}\n", plain(&answer["state"]))
        }
        Word::Unschedule { .. } => "removed\n".to_owned(),
        Word::Set { .. } => members(&answer["settings"], 0),
    }
}

fn queues(answer: &Value) -> String {
    let head = ["QUEUE", "READY", "LEASED", "DONE", "DEAD", "OLDEST", "DONE/MIN", "FAILED/MIN", ""];
    let rows = list(answer, "queues").map(|queue| {
        let paused = if queue["paused"] == true { "paused" } else { "" };
        // Of all namespaces: as the other words take it.
        let ns = queue.get("namespace").map(|ns| plain(ns) + "/");
        let mut row = vec![ns.unwrap_or_default() + &plain(&queue["name"])];
        row.extend(["ready", "leased", "done", "dead"].map(|it| plain(&queue[it])));
        row.push(age(&queue["oldest_ms"]));
        row.extend(["done", "failed"].map(|it| plain(&queue["rates"][it])));
        row.push(paused.to_owned());
        row
    });
    table(&head, rows)
}

fn jobs(answer: &Value) -> String {
    let head = ["JOB", "TYPE", "ATTEMPT", "AGE", "ERROR", "DATA"];
    let rows = list(answer, "jobs").map(|job| {
        let errors = job["errors"].as_array().and_then(|errors| errors.last());
        let error = errors.map(|error| plain(&error["error"])).unwrap_or_default();
        let attempt = format!("{}/{}", job["attempt"], job["max_attempts"]);
        let (error, data) = (cut(&error), cut(&plain(&job["data"])));
        vec![plain(&job["id"]), plain(&job["type"]), attempt, age(&job["age_ms"]), error, data]
    });
    table(&head, rows)
}

fn schedules(answer: &Value) -> String {
    let head = ["SCHEDULE", "CRON", "QUEUE", "TYPE", "STATE", "NEXT"];
    let rows = list(answer, "schedules").map(|schedule| {
        let columns = ["name", "cron", "queue", "type", "state", "next"];
        columns.map(|column| plain(&schedule[column])).to_vec()
    });
    table(&head, rows)
}

fn audit(answer: &Value) -> String {
    let head = ["AT", "WHO", "DEED", "JOBS", "JOB", "DETAIL"];
    let rows = list(answer, "audit").map(|audit| {
        let who = plain(&audit["by"]["name"]);
        let row = [&audit["deed"], &audit["count"], &audit["job"]].map(plain);
        let [deed, count, job] = row;
        vec![plain(&audit["at"]), who, deed, count, job, cut(&plain(&audit["detail"]))]
    });
    table(&head, rows)
}

/// That a list is not all there is, or may not be, and how to go on.
pub(super) fn more(word: &Word, answer: &Value) -> Option<String> {
    match word {
        Word::Jobs { .. } => {
            let after = plain(answer.get("after").filter(|after| after.is_string())?);
            Some(format!("there is more: go on with --after {after}"))
        }
        Word::Audit { limit, .. } => {
            let notes = answer["audit"].as_array()?;
            let last = notes.last().filter(|_| notes.len() >= *limit as usize)?;
            Some(format!("there may be older ones: go on with --before {}", plain(&last["seq"])))
        }
        _ => None,
    }
}

/// What stands in a queue, and then what went through it.
fn queue(answer: &Value) -> String {
    let mut stands = answer.clone();
    let rates = stands.as_object_mut().and_then(|members| members.remove("rates"));
    let rates = rates.unwrap_or_default();
    let mut text = members(&stands, 0) + "in the last minute:\n";
    for name in ["enqueued", "started", "done", "failed", "dead"] {
        writeln!(text, "  {name}: {}", plain(&rates[name])).expect("a String takes everything");
    }
    for name in ["wait", "run"] {
        let of = |part: &str| rates[name][part].as_u64().map(|ms| format!("{ms} ms"));
        let line = match (of("p50_ms"), of("p95_ms")) {
            (Some(half), Some(most)) => format!("half up to {half}, 95 of 100 up to {most}"),
            _ => "-".to_owned(),
        };
        writeln!(text, "  {name}: {line}").expect("a String takes everything");
    }
    text
}

fn list<'a>(answer: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    answer[name].as_array().into_iter().flatten()
}

/// Each member in a line of its own, lists and objects below it.
fn members(value: &Value, depth: usize) -> String {
    let mut text = String::new();
    let pad = "  ".repeat(depth);
    let all = value.as_object().into_iter().flatten();
    for (name, value) in all {
        let written = match value {
            Value::Object(inner) if !inner.is_empty() => {
                writeln!(text, "{pad}{name}:\n{}", members(value, depth + 1).trim_end())
            }
            Value::Array(inner) if !inner.is_empty() => {
                let lines = inner.iter().map(|it| format!("{pad}  {}", plain(it)));
                writeln!(text, "{pad}{name}:\n{}", lines.collect::<Vec<_>>().join("\n"))
            }
            value => writeln!(text, "{pad}{name}: {}", plain(value)),
        };
        written.expect("a String takes everything");
    }
    text
}

/// A value in one line. What would steer a terminal is left out.
fn plain(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let one_line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    one_line.filter(|c| !holdfast_common::text::steers(*c)).collect()
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn age(value: &Value) -> String {
    let Some(ms) = value.as_u64() else { return "-".to_owned() };
    match ms / 1_000 {
        s @ 0..60 => format!("{s}s"),
        s @ 60..3_600 => format!("{}m", s / 60),
        s @ 3_600..86_400 => format!("{}h", s / 3_600),
        s => format!("{}d", s / 86_400),
    }
}

/// Columns that are as wide as what is in them.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head = head.iter().map(|it| (*it).to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let columns = rows.first().map_or(0, Vec::len);
    let widest = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| widest(column).unwrap_or(0)).collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_table_is_as_wide_as_what_is_in_it_and_steers_no_terminal() {
        let word = Word::List { namespace: Some("work".to_owned()) };
        let queue = json!({
            "name": "in\u{1b}[1mbox", "ready": 12, "leased": 0, "done": 3, "dead": 0,
            "oldest_ms": 125_000, "paused": true, "rates": { "done": 60, "failed": 0 },
        });
        let text = shown(&word, &json!({ "queues": [queue] }));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "QUEUE      READY  LEASED  DONE  DEAD  OLDEST  DONE/MIN  FAILED/MIN");
        assert_eq!(
            lines[1],
            "in [1mbox  12     0       3     0     2m      60        0           paused"
        );
    }

    #[test]
    fn a_queue_is_shown_with_what_went_through_it() {
        let word = Word::Show { queue: "inbox".parse().unwrap() };
        let wait = json!({ "p50_ms": 13, "p95_ms": 208 });
        let rates = json!({
            "enqueued": 9, "started": 8, "done": 6, "failed": 2, "dead": 1, "wait": wait,
        });
        let text = shown(&word, &json!({ "dead": 4, "oldest_ms": 250, "rates": rates }));
        let lines = "dead: 4\noldest_ms: 250\nin the last minute:\n  enqueued: 9\n  started: 8\n  done: 6\n  \
            failed: 2\n  dead: 1\n  wait: half up to 13 ms, 95 of 100 up to 208 ms\n  run: -\n";
        assert_eq!(text, lines);
    }

    #[test]
    fn a_job_is_shown_member_by_member() {
        let word = Word::Job { id: String::new(), namespace: String::new() };
        let job = json!({ "state": "dead", "errors": [{ "error": "torn" }], "group": null });
        let text = shown(&word, &job);
        assert_eq!(text, "errors:\n  {\"error\":\"torn\"}\ngroup: -\nstate: dead\n");
    }
}
