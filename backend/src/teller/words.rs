//! What is told of an end: what came of the job, for programs, and in a sentence for people.

use holdfast_common::{
    job::{JobState, JobType},
    storage::jobs::JobRead,
    system::{Export, Exported, SYSTEM},
    text::steers,
    work::JobEnded,
};
use serde::Deserialize;
use serde_json::Value;

/// Characters of a job's title that the sentence has.
const TITLE: usize = 80;

/// Characters that it has of what came of the job, or of why it failed.
const OUTCOME: usize = 300;

/// The end of a job as its event tells it, in at most so many bytes: past them without the result or the
/// error, of which the sentence still has the beginning, and past them even so with a sentence that has
/// none of it. That one is a few hundred bytes.
pub(super) fn ended(job: &JobRead, most: usize) -> JobEnded {
    let state = job.place.state();
    let error = job.attempts.last().map(|attempt| attempt.error.clone());
    let error = error.filter(|_| state == JobState::Dead);
    let result = job.outcome.as_deref().filter(|_| state == JobState::Done);
    let result = result.and_then(|text| serde_json::from_str(text).ok());
    let what = error.clone().or_else(|| result.as_ref().map(|result| brought(job, result)));
    let mut ended = JobEnded {
        job: job.id,
        queue: job.queue.clone(),
        kind: job.kind.clone(),
        state,
        text: sentence(&called(job), state, what.as_deref().unwrap_or_default()),
        result,
        error,
    };
    if bytes(&ended) > most {
        (ended.result, ended.error) = (None, None);
    }
    if bytes(&ended) > most {
        ended.text = sentence(&called(job), state, "");
    }
    ended
}

fn bytes(ended: &JobEnded) -> usize {
    serde_json::to_vec(ended).map_or(0, |bytes| bytes.len())
}

/// The end in a sentence, with what came of it where it brought something.
fn sentence(name: &str, state: JobState, what: &str) -> String {
    let end = match state {
        JobState::Done => "is done",
        JobState::Dead => "has failed",
        _ => "was cancelled",
    };
    match what.trim() {
        "" => format!("{name} {end}."),
        what => format!("{name} {end}: {}", beginning(what, OUTCOME)),
    }
}

/// A result as people read it: a text as it is, all else as JSON without blanks, nothing where it
/// is nothing.
fn plain(result: &Value) -> String {
    match result {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        json => json.to_string(),
    }
}

/// What came of a job, for people.
fn brought(job: &JobRead, result: &Value) -> String {
    match Exported::deserialize(result) {
        Ok(Exported { entries, bytes, .. }) if is_export(job) => {
            let noun = if entries == 1 { "entry" } else { "entries" };
            format!("{entries} {noun}, {bytes} bytes")
        }
        _ => plain(result),
    }
}

/// What a sentence calls a job: by its title, where its payload has one, or else by its type. An export by
/// its room.
fn called(job: &JobRead) -> String {
    #[derive(Deserialize)]
    struct Titled {
        title: String,
    }
    if is_export(job)
        && let Ok(export) = serde_json::from_str::<Export>(&job.data)
    {
        return format!("The export of “{}”", isolated(&export.name));
    }
    match serde_json::from_str::<Titled>(&job.data) {
        Ok(Titled { title }) if !title.trim().is_empty() => {
            format!("“{}”", isolated(&title))
        }
        _ => format!("Your {}", job.kind),
    }
}

fn is_export(job: &JobRead) -> bool {
    (job.ns.as_str(), job.kind.as_str()) == (SYSTEM, Export::NAME)
}

/// A title as it stands in a sentence: its beginning, in which nothing turns what is around it. Where it is written
/// from right to left it is between the two marks that keep it from turning the whole sentence round (FSI and PDI,
/// Unicode Standard Annex 9, 2.4).
fn isolated(title: &str) -> String {
    let plain: String = title.chars().filter(|c| !c.is_control() && !steers(*c)).collect();
    let rtl =
        |c| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}');
    let title = beginning(&plain, TITLE);
    if title.contains(rtl) { format!("\u{2068}{title}\u{2069}") } else { title }
}

/// A text, or of a longer one so many characters with `…` behind them.
fn beginning(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_common::{
        id::JobId,
        job::{Attempt, Place},
        time::{Millis, Timestamp},
    };
    use serde_json::json;

    fn said(result: &Value) -> String {
        sentence("“Call Bo”", JobState::Done, &plain(result))
    }

    #[test]
    fn the_sentence_of_an_end_has_what_came_of_it() {
        assert_eq!(said(&json!("reached")), "“Call Bo” is done: reached");
        assert_eq!(said(&json!(12.5)), "“Call Bo” is done: 12.5");
        let json = json!({ "by": "py-1", "rooms": [1, 2] });
        assert_eq!(said(&json), r#"“Call Bo” is done: {"by":"py-1","rooms":[1,2]}"#);
        let failed = sentence("“Call Bo”", JobState::Dead, "Nobody answers.\n");
        assert_eq!(failed, "“Call Bo” has failed: Nobody answers.");
    }

    #[test]
    fn an_end_that_brought_nothing_is_said_alone() {
        for nothing in [json!(null), json!(""), json!(" \n")] {
            assert_eq!(said(&nothing), "“Call Bo” is done.", "{nothing}");
        }
        assert_eq!(sentence("Your task", JobState::Dead, ""), "Your task has failed.");
        assert_eq!(sentence("Your task", JobState::Cancelled, ""), "Your task was cancelled.");
    }

    #[test]
    fn of_what_is_long_the_sentence_has_the_beginning_and_says_so() {
        let fits = "ä".repeat(OUTCOME);
        assert_eq!(said(&json!(fits)), format!("“Call Bo” is done: {fits}"));
        assert_eq!(said(&json!(format!("{fits}!"))), format!("“Call Bo” is done: {fits}…"));
        let list = said(&json!(vec!["x"; OUTCOME]));
        assert!(list.starts_with(r#"“Call Bo” is done: ["x","x","#) && list.ends_with('…'));
        let failed = sentence("Your task", JobState::Dead, &format!("{fits}!"));
        assert_eq!(failed, format!("Your task has failed: {fits}…"));
    }

    fn job(place: Place, text: &str) -> JobRead {
        let attempt = Attempt {
            attempt: 1,
            fence: 1,
            at: Timestamp(0),
            took: Millis(1),
            lapsed: false,
            consumer: String::new(),
            error: text.to_owned(),
        };
        JobRead {
            id: JobId::from_bytes([1; 16]),
            seq: 1,
            ns: "work".to_owned(),
            queue: "inbox".to_owned(),
            kind: "task".to_owned(),
            data: r#"{"title":"Call Bo"}"#.to_owned(),
            place,
            priority: 0,
            group: None,
            attempt: 1,
            fence: 1,
            most: 1,
            outcome: Some(json!(text).to_string()),
            attempts: vec![attempt],
            holder: None,
            progress: None,
            due: None,
            asker: None,
            age: Millis(0),
        }
    }

    #[test]
    fn no_title_turns_its_sentence_round() {
        let hebrew =
            JobRead { data: r#"{"title":"שלום"}"#.to_owned(), ..job(Place::Done, "12 kg") };
        assert_eq!(ended(&hebrew, 1_000).text, "“\u{2068}שלום\u{2069}” is done: 12 kg");
    }

    #[test]
    fn an_event_has_as_much_of_an_end_as_it_has_room_for() {
        // Each quotation mark takes two bytes as JSON.
        let text = "\"".repeat(1_000);
        for (place, end) in [(Place::Done, "is done"), (Place::Dead, "has failed")] {
            let job = job(place, &text);
            let whole = ended(&job, 64 * 1024);
            let part = ended(&job, 1_000);
            let bare = ended(&job, 500);
            let (result, error) = match place {
                Place::Done => (Some(json!(text)), None),
                _ => (None, Some(text.clone())),
            };
            assert_eq!((&whole.result, &whole.error), (&result, &error));
            let beginning = format!("“Call Bo” {end}: {}…", "\"".repeat(OUTCOME));
            for told in [&whole, &part] {
                assert_eq!(told.text, beginning);
            }
            assert_eq!(bare.text, format!("“Call Bo” {end}."));
            for told in [part, bare] {
                assert_eq!((told.result, told.error), (None, None));
            }
        }
    }

    #[test]
    fn the_sentence_of_an_export_has_its_room_and_how_much_it_is() {
        let export = json!({
            "room": "0199c82c-c000-7a00-8a00-000000000001", "namespace": "chat", "name": "lobby"
        });
        let of = |place, text: &str| JobRead {
            ns: SYSTEM.to_owned(),
            kind: Export::NAME.to_owned(),
            data: export.to_string(),
            ..job(place, text)
        };
        let epoch = "0199c82c-c000-7a00-8a00-000000000002";
        let exported = json!({ "entries": 3, "bytes": 512, "epoch": epoch, "head": 3 });
        let done = JobRead { outcome: Some(exported.to_string()), ..of(Place::Done, "") };
        let told = ended(&done, 1_000);
        assert_eq!(told.text, "The export of “lobby” is done: 3 entries, 512 bytes");
        assert_eq!(told.result, Some(exported));
        let failed = ended(&of(Place::Dead, "unknown_room: There is no such room."), 1_000);
        let text = "The export of “lobby” has failed: unknown_room: There is no such room.";
        assert_eq!(failed.text, text);
    }
}
