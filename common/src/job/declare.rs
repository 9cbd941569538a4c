//! Typed jobs: what a queue declares once and whatever is enqueued there is checked against.

use super::{NewJob, QueueSettings};
use crate::{error::Code, id::JobId, json, storage::jobs::QueueSpec, time::Millis};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::{Debug, Display};

/// One type of job; its payload is what implements this. Declared by [`queues!`](crate::queues).
pub trait JobType: Serialize + DeserializeOwned + Clone + Debug + Send + Sync + 'static {
    /// The name of the queue's namespace.
    const NAMESPACE: &'static str;
    /// The name of the queue.
    const QUEUE: &'static str;
    /// Its name on the wire.
    const NAME: &'static str;
    /// What comes of one that is done.
    type Output: Serialize + DeserializeOwned + Clone + Debug + Send + 'static;
    /// What a failed attempt says for programs; its text is the reason for people.
    type Failure: Serialize + DeserializeOwned + Clone + Debug + Display + Send + 'static;
}

/// A queue as it is declared.
#[derive(Debug, Clone)]
pub struct QueueType {
    /// What it is called, and what it goes by until an operator sets something else.
    pub spec: QueueSpec,
    kinds: Vec<JobKind>,
}

/// A type of job with its types worn off.
#[derive(Debug, Clone, Copy)]
pub struct JobKind {
    name: &'static str,
    payload: fn(&str) -> bool,
    output: fn(&str) -> bool,
    failure: fn(&str) -> bool,
}

impl QueueType {
    /// A queue for jobs of these types.
    #[must_use]
    pub fn new(ns: &str, name: &str, kinds: Vec<JobKind>) -> Self {
        let settings = QueueSettings::default();
        Self { spec: QueueSpec { ns: ns.to_owned(), name: name.to_owned(), settings }, kinds }
    }

    /// Has it go by these until an operator sets something else.
    #[must_use]
    pub fn with(mut self, settings: QueueSettings) -> Self {
        self.spec.settings = settings;
        self
    }

    /// A type of its jobs.
    ///
    /// # Errors
    /// [`Code::UnknownType`].
    pub fn kind(&self, name: &str) -> Result<&JobKind, Code> {
        self.kinds.iter().find(|kind| kind.name == name).ok_or(Code::UnknownType)
    }
}

impl JobKind {
    /// The type.
    #[must_use]
    pub fn of<J: JobType>() -> Self {
        Self {
            name: J::NAME,
            payload: |text| is_object(text) && json::read::<J>(text).is_ok(),
            output: |text| is_json(text) && json::read::<J::Output>(text).is_ok(),
            failure: |text| is_json(text) && json::read::<J::Failure>(text).is_ok(),
        }
    }

    /// Checks a payload.
    ///
    /// # Errors
    /// [`Code::BadPayload`].
    pub fn check(&self, payload: &str) -> Result<(), Code> {
        fits((self.payload)(payload))
    }

    /// Checks what came of a job, a text of JSON.
    ///
    /// # Errors
    /// [`Code::BadPayload`].
    pub fn check_output(&self, output: &str) -> Result<(), Code> {
        fits((self.output)(output))
    }

    /// Checks why an attempt has failed, a text of JSON.
    ///
    /// # Errors
    /// [`Code::BadPayload`].
    pub fn check_failure(&self, failure: &str) -> Result<(), Code> {
        fits((self.failure)(failure))
    }
}

fn fits(fits: bool) -> Result<(), Code> {
    if fits { Ok(()) } else { Err(Code::BadPayload) }
}

/// What a type does not look at is handed on all the same, so the whole text has to be what any
/// reader can take: depth, numbers, surrogates.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok()
}

fn is_object(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok_and(|value| value.is_object())
}

impl NewJob {
    /// A job of this payload, which may begin at once, in nobody's name.
    #[must_use]
    pub fn of<J: JobType>(id: JobId, job: &J) -> Self {
        let data = serde_json::to_string(job);
        Self {
            id,
            ns: J::NAMESPACE.to_owned(),
            queue: J::QUEUE.to_owned(),
            kind: J::NAME.to_owned(),
            data: data.expect("a declared payload has string keys and serializes"),
            delay: Millis(0),
            priority: 0,
            group: None,
            most: None,
            backoff: None,
            expires: None,
            asker: None,
        }
    }
}

/// Jobs that are to be enqueued with an event, if it is appended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work(Vec<NewJob>);

impl Work {
    /// One more. What it returns can be changed: when it begins, its group, its attempts. Its id is given
    /// later, and its end is told to whoever emitted the event.
    pub fn enqueue<J: JobType>(&mut self, job: &J) -> &mut NewJob {
        self.0.push(NewJob::of(JobId::NIL, job));
        let last = self.0.last_mut();
        last.expect("it was pushed just now")
    }

    /// The jobs.
    #[must_use]
    pub fn into_jobs(self) -> Vec<NewJob> {
        self.0
    }
}

/// Declares queues and the types of jobs in them, each with what comes of it and why it may fail.
///
/// It makes, in the module that calls it, a [`JobType`] of each payload, and `queues()`, which the
/// server is built with:
///
/// ```
/// use serde::{Deserialize, Serialize};
///
/// /// Boxes to be packed.
/// #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
/// pub struct Pack {
///     pub boxes: u32,
/// }
///
/// holdfast_common::queues! {
///     "shop" / "packing" { Pack = "pack" -> u32, String; }
/// }
///
/// let [packing] = &queues()[..] else { panic!("one queue") };
/// assert!(packing.kind("pack").unwrap().check(r#"{"boxes": 2}"#).is_ok());
/// assert!(packing.kind("pack").unwrap().check(r#"{"boxes": -2}"#).is_err());
/// assert!(packing.kind("ship").is_err());
/// ```
///
/// A type without its result does not compile:
///
/// ```compile_fail
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
/// # pub struct Pack {}
/// holdfast_common::queues! {
///     "shop" / "packing" { Pack = "pack"; }
/// }
/// ```
#[macro_export]
macro_rules! queues {
    ($( $ns:literal / $queue:literal { $( $J:ident = $name:literal -> $output:ty, $failure:ty; )* } )*) => {
        $($(
            impl $crate::job::JobType for $J {
                const NAMESPACE: &'static str = $ns;
                const QUEUE: &'static str = $queue;
                const NAME: &'static str = $name;
                type Output = $output;
                type Failure = $failure;
            }
        )*)*

        /// The queues that are declared here.
        #[must_use]
        pub fn queues() -> Vec<$crate::job::QueueType> {
            vec![$( $crate::job::QueueType::new(
                $ns,
                $queue,
                vec![$( $crate::job::JobKind::of::<$J>() ),*],
            ) ),*]
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::Task;

    #[test]
    fn a_payload_is_an_object_of_its_type_that_any_reader_can_take() {
        let kind = JobKind::of::<Task>();
        assert!(kind.check(r#"{"title":"Call back","body":"Ward 7","more":1}"#).is_ok());
        for text in [
            "",
            "null",
            "[]",
            r#"["a","b"]"#,
            r#"{"title":1,"body":"b"}"#,
            r#"{"title":"a","body":"b","more":1e999}"#,
            r#"{"title":"a","title":"b","body":"c"}"#,
        ] {
            assert_eq!(kind.check(text), Err(Code::BadPayload), "{text}");
        }
    }

    #[test]
    fn a_new_job_says_where_it_goes_by_its_type() {
        let mut work = Work::default();
        let task = Task { title: "Call back".to_owned(), body: String::new() };
        work.enqueue(&task).group = Some("ward-7".to_owned());
        let [job] = &work.into_jobs()[..] else { panic!("one job") };
        assert_eq!((&*job.ns, &*job.queue, &*job.kind), ("work", "inbox", "task"));
        assert_eq!(job.group.as_deref(), Some("ward-7"));
        assert!(JobKind::of::<Task>().check(&job.data).is_ok());
    }
}
