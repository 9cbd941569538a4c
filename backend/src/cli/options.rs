//! The words of `holdfast queue …`.

use clap::{Args, Subcommand};
use std::str::FromStr;

/// What is said of each argument that names a queue.
const QUEUE: &str = "The queue, as namespace/name; a name alone is of \"work\"";

/// The same of each that names a schedule.
const SCHEDULE: &str = "The schedule, as namespace/name; a name alone is of \"work\"";

#[derive(Debug, Clone, Args)]
pub(crate) struct QueueOptions {
    /// The server to ask
    #[arg(long, global = true, default_value = "http://127.0.0.1:3000", value_name = "URL")]
    pub(super) server: String,
    /// Who you are, for the audit: it is noted as you say it
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) by: Option<String>,
    /// The person for whom you ask, with their secret: they are noted, and told of what they asked for.
    /// Better said in the environment, where nobody else sees it
    #[arg(long, global = true, value_name = "ID:SECRET", hide_env_values = true)]
    pub(super) person: Option<String>,
    /// Print the answers as they come, one line each, for scripts
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) word: Word,
}

/// A queue or a schedule, as `namespace/name`; a name alone is of `work`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) ns: String,
    pub(super) name: String,
}

impl FromStr for Names {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (ns, name) = text.split_once('/').unwrap_or(("work", text));
        Ok(Self { ns: ns.to_owned(), name: name.to_owned() })
    }
}

/// Which dead letters.
#[derive(Debug, Clone, Args)]
pub(super) struct Letters {
    /// Their ids
    pub(super) ids: Vec<String>,
    /// All of them, or all that --type and --error let through
    #[arg(long)]
    pub(super) all: bool,
    /// Those of this type
    #[arg(long = "type", value_name = "TYPE", requires = "all")]
    pub(super) kind: Option<String>,
    /// Those in whose last error this text stands
    #[arg(long, value_name = "TEXT", requires = "all")]
    pub(super) error: Option<String>,
}

/// How a job is done.
#[derive(Debug, Clone, Args)]
pub(super) struct How {
    /// Higher ones begin first
    #[arg(long, allow_negative_numbers = true)]
    pub(super) priority: Option<i8>,
    /// Of the jobs of a group one is in flight
    #[arg(long)]
    pub(super) group: Option<String>,
    /// After so many attempts it is a dead letter
    #[arg(long, value_name = "N")]
    pub(super) max_attempts: Option<u32>,
    /// Its wait after the first failure
    #[arg(long, value_name = "MS")]
    pub(super) backoff_ms: Option<u64>,
    /// Not begun after so long it is a dead letter
    #[arg(long, value_name = "MS")]
    pub(super) expires_ms: Option<u64>,
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum Word {
    /// The queues of all namespaces, or of one
    List {
        /// This namespace's alone
        namespace: Option<String>,
    },
    /// A queue: how many jobs are where, what went through it in the last minute, its settings
    Show {
        #[arg(help = QUEUE)]
        queue: Names,
    },
    /// The jobs of a queue in one state
    Jobs {
        #[arg(help = QUEUE)]
        queue: Names,
        /// ready, leased, done, dead or cancelled
        #[arg(long, default_value = "dead")]
        state: String,
        /// Those of this type
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<String>,
        /// Those in whose last error this text stands
        #[arg(long, value_name = "TEXT")]
        error: Option<String>,
        /// At most so many, up to 1000
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// Those behind what was listed: as the list before says
        #[arg(long, value_name = "WHERE")]
        after: Option<String>,
    },
    /// A job, with all its errors
    Job {
        /// Its id
        id: String,
        /// The namespace of its queue
        #[arg(long, default_value = "work")]
        namespace: String,
    },
    /// Enqueue a job
    Add {
        #[arg(help = QUEUE)]
        queue: Names,
        /// Its type
        kind: String,
        /// Its payload, JSON
        data: String,
        /// How long it waits before it may begin
        #[arg(long, value_name = "MS")]
        delay_ms: Option<u64>,
        /// When it may begin, in Unix milliseconds
        #[arg(long, value_name = "UNIX_MS", conflicts_with = "delay_ms")]
        at: Option<u64>,
        #[command(flatten)]
        how: How,
        /// Said again with the same key it is the same job
        #[arg(long)]
        key: Option<String>,
    },
    /// Cancel jobs that have not ended, each whatever becomes of the others
    Cancel {
        #[arg(help = QUEUE)]
        queue: Names,
        /// Their ids
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Try dead letters again
    Requeue {
        #[arg(help = QUEUE)]
        queue: Names,
        #[command(flatten)]
        letters: Letters,
    },
    /// Do away with dead letters and their payloads
    Discard {
        #[arg(help = QUEUE)]
        queue: Names,
        #[command(flatten)]
        letters: Letters,
    },
    /// Try a dead letter again with another payload
    Mend {
        #[arg(help = QUEUE)]
        queue: Names,
        /// Its id
        id: String,
        /// Its payload from now on, JSON
        data: String,
    },
    /// Stop a queue from starting jobs; what runs goes on
    Pause {
        #[arg(help = QUEUE)]
        queue: Names,
    },
    /// Let a paused queue start jobs again
    Resume {
        #[arg(help = QUEUE)]
        queue: Names,
    },
    /// Empty a queue of the jobs that are ready, or dead
    Purge {
        #[arg(help = QUEUE)]
        queue: Names,
        /// ready or dead
        #[arg(long)]
        state: String,
    },
    /// Set what a queue goes by: in_flight=4 rate=10/s
    ///
    /// The settings are lease_ms, max_attempts, backoff_ms, in_flight, rate, keep_ms and max_jobs. Those that are
    /// not named stay as they are.
    ///
    /// A rate is 10/s, 600/min or 9/h, and as many may begin at once after a rest; or JSON, with a burst of its
    /// own: '{"jobs": 10, "per_ms": 1000, "burst": 5}'.
    ///
    /// in_flight=none and rate=none take their limit back. The other settings take no none.
    Set {
        #[arg(help = QUEUE)]
        queue: Names,
        /// Settings, each with its value
        #[arg(required = true, value_name = "NAME=VALUE")]
        settings: Vec<String>,
    },
    /// The schedules of a namespace
    Schedules {
        #[arg(default_value = "work")]
        namespace: String,
    },
    /// A schedule, with what its jobs are
    ShowSchedule {
        #[arg(help = SCHEDULE)]
        name: Names,
    },
    /// Have a job come by a crontab's five fields, in UTC; in place of the schedule of this name
    Schedule {
        #[arg(help = SCHEDULE)]
        name: Names,
        /// When: "0 3 * * *" is each night at three
        cron: String,
        /// The queue, of the same namespace
        queue: String,
        /// The jobs' type
        kind: String,
        /// Their payload, JSON
        data: String,
        #[command(flatten)]
        how: How,
        /// Tell the --person who makes it of the end of each job
        #[arg(long)]
        tell: bool,
    },
    /// Stop a schedule
    PauseSchedule {
        #[arg(help = SCHEDULE)]
        name: Names,
    },
    /// Let a paused schedule go on, as counted from now
    ResumeSchedule {
        #[arg(help = SCHEDULE)]
        name: Names,
    },
    /// Remove a schedule
    Unschedule {
        #[arg(help = SCHEDULE)]
        name: Names,
    },
    /// Who did what to a queue, the newest first
    Audit {
        #[arg(help = QUEUE)]
        queue: Names,
        /// At most so many, up to 1000
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// Those before this one: as the list before says
        #[arg(long, value_name = "SEQ")]
        before: Option<u64>,
    },
}
