//! `holdfast queue …` and `holdfast export …`: queues, jobs and rooms' logs from a shell, over the HTTP of a
//! server that runs.

mod ask;
mod export;
mod options;
mod patience;
mod show;

pub use export::AskedRoom;
pub(crate) use export::ExportOptions;
pub(crate) use options::QueueOptions;

use ask::{Answer, NotAsked, Server};
use options::{How, Letters, Names, Word};
use serde_json::{Map, Value, json};

/// Why a word was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// The server could not be asked.
    #[error(transparent)]
    NotAsked(#[from] NotAsked),
    /// It has said no.
    #[error("{code}: {text}")]
    Refused {
        /// The answer's code.
        code: String,
        /// The same for a person.
        text: String,
    },
    /// It was asked again and again, and this is what it came to at last.
    #[error("gave up after {0}: {1}")]
    GivenUp(String, Box<Self>),
    /// It makes no sense.
    #[error("{0}")]
    Wrong(String),
}

/// What was asked for on the command line.
#[derive(Debug, Clone)]
pub struct Asked(QueueOptions);

impl Asked {
    pub(crate) const fn new(options: QueueOptions) -> Self {
        Self(options)
    }

    /// Asks the server and returns what is to be told.
    ///
    /// # Errors
    /// The server cannot be asked or says no.
    pub async fn carry_out(self) -> Result<Told, NotDone> {
        let Self(QueueOptions { server, by, person, json, word }) = self;
        let server = Server::new(&server)?.by(by)?.person(person)?;
        let Answers { all, refused } = done(&server, &word).await?;
        let mut told = Told { refused, ..Told::default() };
        for (of, answer) in &all {
            if json {
                told.text += &format!("{}\n", answer.text);
                continue;
            }
            let value = serde_json::from_str(&answer.text).unwrap_or(Value::Null);
            let of = of.as_ref().map(|id| format!("{id}  ")).unwrap_or_default();
            told.text += &(of + &show::shown(&word, &value));
            told.notes.extend(show::more(&word, &value));
        }
        Ok(told)
    }
}

/// What is to be told of a word that was carried out.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// What was asked for.
    pub text: String,
    /// What is to be known beside it: that it is not all there is.
    pub notes: Vec<String>,
    /// Of many things that were asked for those that were not done, and why.
    pub refused: Vec<String>,
}

/// What came of a word.
struct Answers {
    /// With what it is about, where there may be others.
    all: Vec<(Option<String>, Answer)>,
    refused: Vec<String>,
}

/// Cancels jobs one by one, each whatever became of those before.
async fn cancelled(server: &Server, queue: &Names, ids: &[String]) -> Answers {
    let mut answers = Answers { all: Vec::new(), refused: Vec::new() };
    for (n, id) in ids.iter().enumerate() {
        let of = Some(id.clone()).filter(|_| ids.len() > 1);
        match server.post(&[&queue.ns, "jobs", id, "cancel"], &json!({}), None).await {
            Ok(answer) => answers.all.push((of, answer)),
            Err(why) => {
                let of = of.map(|id| format!("{id}: ")).unwrap_or_default();
                answers.refused.push(format!("{of}{why}"));
                let left = ids.len() - n - 1;
                if matches!(why, NotDone::NotAsked(_)) && left > 0 {
                    answers.refused.push(format!("{left} more were not asked for"));
                    break;
                }
            }
        }
    }
    answers
}

async fn done(server: &Server, word: &Word) -> Result<Answers, NotDone> {
    let one = match word {
        Word::Cancel { queue, ids } => return Ok(cancelled(server, queue, ids).await),
        Word::List { namespace } => {
            let path: Vec<_> = namespace.iter().map(|ns| &**ns).chain(["queues"]).collect();
            server.get(&path, &[]).await
        }
        Word::Show { queue } => server.get(&queue.path(&[]), &[]).await,
        Word::Jobs { queue, state, kind, error, limit, after } => {
            let limit = limit.to_string();
            let mut query = vec![("state", &**state), ("limit", &limit)];
            query.extend(kind.as_deref().map(|kind| ("type", kind)));
            query.extend(error.as_deref().map(|error| ("error", error)));
            query.extend(after.as_deref().map(|after| ("after", after)));
            server.get(&queue.path(&["jobs"]), &query).await
        }
        Word::Job { id, namespace } => server.get(&[namespace, "jobs", id], &[]).await,
        Word::Add { queue, kind, data, delay_ms, at, how, key } => {
            let mut body = job(kind, data, how)?;
            put(&mut body, "delay_ms", delay_ms.map(Value::from));
            put(&mut body, "at", at.map(Value::from));
            server.post(&queue.path(&["jobs"]), &body, key.as_deref()).await
        }
        Word::Requeue { queue, letters } => {
            server.post(&queue.path(&["requeue"]), &which(letters)?, None).await
        }
        Word::Discard { queue, letters } => {
            server.post(&queue.path(&["discard"]), &which(letters)?, None).await
        }
        Word::Mend { queue, id, data } => {
            let body = json!({ "data": json_of::<Value>(data)? });
            server.post(&[&queue.ns, "jobs", id, "requeue"], &body, None).await
        }
        Word::Pause { queue } => server.post(&queue.path(&["pause"]), &json!({}), None).await,
        Word::Resume { queue } => server.post(&queue.path(&["resume"]), &json!({}), None).await,
        Word::Purge { queue, state } => {
            server.post(&queue.path(&["purge"]), &json!({ "state": state }), None).await
        }
        Word::Set { queue, settings } => {
            server.post(&queue.path(&["settings"]), &settings_of(settings)?, None).await
        }
        Word::Schedules { namespace } => server.get(&[namespace, "schedules"], &[]).await,
        Word::ShowSchedule { name } => server.get(&name.schedule(&[]), &[]).await,
        Word::Schedule { name, cron, queue, kind, data, how, tell } => {
            let mut body = job(kind, data, how)?;
            put(&mut body, "cron", Some(json!(cron)));
            put(&mut body, "queue", Some(json!(queue)));
            put(&mut body, "tell", tell.then(|| json!(true)));
            server.post(&name.schedule(&[]), &body, None).await
        }
        Word::PauseSchedule { name } => {
            server.post(&name.schedule(&["pause"]), &json!({}), None).await
        }
        Word::ResumeSchedule { name } => {
            server.post(&name.schedule(&["resume"]), &json!({}), None).await
        }
        Word::Unschedule { name } => server.delete(&name.schedule(&[])).await,
        Word::Audit { queue, limit, before } => {
            let (limit, before) = (limit.to_string(), before.map(|before| before.to_string()));
            let mut query = vec![("limit", &*limit)];
            query.extend(before.as_deref().map(|before| ("before", before)));
            server.get(&queue.path(&["audit"]), &query).await
        }
    };
    Ok(Answers { all: vec![(None, one?)], refused: Vec::new() })
}

impl Names {
    /// The queue's address, and what stands behind it.
    fn path<'a>(&'a self, rest: &[&'a str]) -> Vec<&'a str> {
        [&[&*self.ns, "queues", &*self.name], rest].concat()
    }

    /// The schedule's.
    fn schedule<'a>(&'a self, rest: &[&'a str]) -> Vec<&'a str> {
        [&[&*self.ns, "schedules", &*self.name], rest].concat()
    }
}

fn job(kind: &str, data: &str, how: &How) -> Result<Value, NotDone> {
    let How { priority, group, max_attempts, backoff_ms, expires_ms } = how;
    let mut body = json!({ "type": kind, "data": json_of::<Value>(data)? });
    put(&mut body, "priority", priority.map(Value::from));
    put(&mut body, "group", group.clone().map(Value::from));
    put(&mut body, "max_attempts", max_attempts.map(Value::from));
    put(&mut body, "backoff_ms", backoff_ms.map(Value::from));
    put(&mut body, "expires_ms", expires_ms.map(Value::from));
    Ok(body)
}

fn which(letters: &Letters) -> Result<Value, NotDone> {
    let Letters { ids, all, kind, error } = letters;
    if *all != ids.is_empty() {
        return Err(NotDone::Wrong("say which: ids, or --all".to_owned()));
    }
    let mut body = json!({});
    put(&mut body, "ids", (!ids.is_empty()).then(|| json!(ids)));
    put(&mut body, "type", kind.clone().map(Value::from));
    put(&mut body, "error", error.clone().map(Value::from));
    Ok(body)
}

fn put(body: &mut Value, member: &str, value: Option<Value>) {
    if let Some(value) = value {
        body[member] = value;
    }
}

fn json_of<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, NotDone> {
    serde_json::from_str(text).map_err(|error| NotDone::Wrong(format!("this is no JSON: {error}")))
}

/// `NAME=VALUE`, where a value is JSON, `none`, or a rate like `10/s`.
fn settings_of(words: &[String]) -> Result<Value, NotDone> {
    let mut settings = Map::new();
    for word in words {
        let wrong = || NotDone::Wrong(format!("a setting is NAME=VALUE, not {word}"));
        let (name, value) = word.split_once('=').ok_or_else(wrong)?;
        let value = match value {
            "none" => Value::Null,
            text if name == "rate" && !text.starts_with('{') => rate(text).ok_or_else(wrong)?,
            text => json_of(text)?,
        };
        settings.insert(name.to_owned(), value);
    }
    Ok(settings.into())
}

/// `10/s`, `600/min` or `9/h`; as many may begin at once.
fn rate(text: &str) -> Option<Value> {
    let (jobs, unit) = text.split_once('/')?;
    let jobs: u32 = jobs.parse().ok()?;
    let per = match unit {
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    Some(json!({ "jobs": jobs, "per_ms": per, "burst": jobs }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_json_or_none_or_a_rate_in_short() {
        let words = ["in_flight=4", "rate=10/s", "lease_ms=7000"].map(str::to_owned);
        let settings = settings_of(&words).unwrap();
        let rate = json!({ "jobs": 10, "per_ms": 1_000, "burst": 10 });
        assert_eq!(settings, json!({ "in_flight": 4, "rate": rate, "lease_ms": 7_000 }));
        assert_eq!(settings_of(&["rate=none".to_owned()]).unwrap(), json!({ "rate": null }));
        for word in ["in_flight", "rate=10", "rate=10/day", "keep_ms=long"] {
            assert!(settings_of(&[word.to_owned()]).is_err(), "{word}");
        }
    }

    #[test]
    fn dead_letters_are_named_or_all_of_them_are_meant() {
        let letters = |ids: &[&str], all| Letters {
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            all,
            kind: None,
            error: Some("closed".to_owned()),
        };
        assert_eq!(which(&letters(&[], true)).unwrap(), json!({ "error": "closed" }));
        assert!(which(&letters(&[], false)).is_err());
        assert!(which(&letters(&["a"], true)).is_err());
    }
}
