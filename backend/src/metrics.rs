//! What the server counts, and how `GET /metrics` tells it: Prometheus' text format, version 0.0.4.

mod gauges;

use holdfast_common::{
    error::Kind,
    job::Place,
    storage::{
        Appended, Verdict,
        jobs::{Move, Moves, QueueRead},
    },
};
use std::{
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Upper bounds of the append latency's buckets, in microseconds: an NVMe disk's fsync is found
/// near the first, a spinning disk's in the middle, a disk in trouble at the end.
const BUCKETS: [u64; 12] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 2_500_000];

#[derive(Debug, Default)]
struct Histogram {
    buckets: [Counter; BUCKETS.len()],
    count: Counter,
    micros: Counter,
}

impl Histogram {
    fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = BUCKETS.iter().position(|bound| micros <= *bound) {
            self.buckets[bucket].add(1);
        }
        self.count.add(1);
        self.micros.add(micros);
    }
}

/// Everything that is counted.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) connections_opened: Counter,
    pub(crate) connections_closed: Counter,
    /// Connections beyond those that there may be.
    pub(crate) refused: Counter,
    pub(crate) frames_received: Counter,
    pub(crate) bytes_received: Counter,
    pub(crate) frames_sent: Counter,
    pub(crate) bytes_sent: Counter,
    pub(crate) entries_delivered: Counter,
    pub(crate) replays: Counter,
    pub(crate) pages: Counter,
    pub(crate) signals: Counter,
    pub(crate) panics: Counter,
    acked: Counter,
    rejected: Counter,
    again: Counter,
    deferred: Counter,
    /// Judged again, because what they had been judged by had moved: nobody is told.
    moved: Counter,
    /// Entries that were put into logs; an ack may be of one that stood there already.
    appended: Counter,
    appends: Histogram,
    pub(crate) jobs: Jobs,
}

/// What is counted elsewhere.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Others {
    /// By the hub.
    pub(crate) dropped: u64,
    /// By the engine.
    pub(crate) commits: u64,
    /// Who waits at the desk.
    pub(crate) waiting: u64,
    pub(crate) draining: bool,
}

/// What became of jobs.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    enqueued: Counter,
    started: Counter,
    done: Counter,
    /// Attempts that ended in another way, and whose job goes on.
    back: Counter,
    dead: Counter,
    cancelled: Counter,
    /// Words that came too late.
    pub(crate) fenced: Counter,
}

impl Metrics {
    /// Counts what has happened to jobs.
    pub(crate) fn moved(&self, moves: &Moves) {
        for moved in moves.queues.iter().flat_map(|queue| &queue.jobs) {
            self.jobs.moved(moved);
        }
    }

    /// Counts what became of an append, and how long it took.
    pub(crate) fn appended(&self, appended: &Appended, took: Duration) {
        self.appends.observe(took);
        if let Appended::Decided { entry: Some(_), .. } = appended {
            self.appended.add(1);
        }
        let counter = match appended {
            Appended::Decided { verdict, .. } => match verdict {
                Verdict::Ack { .. } => &self.acked,
                Verdict::Reject { code, .. } => match code.kind() {
                    Kind::RetryAfter => &self.deferred,
                    Kind::Reject | Kind::Close => &self.rejected,
                },
            },
            Appended::Again(_) | Appended::Settled => &self.again,
            Appended::Mismatch => &self.rejected,
            Appended::Moved => &self.moved,
            Appended::Expected(_) | Appended::Fenced | Appended::Fault(_) => &self.deferred,
        };
        counter.add(1);
    }

    /// As Prometheus reads it, with the queues as they stand.
    pub(crate) fn render(&self, others: &Others, queues: &[QueueRead]) -> String {
        let Others { dropped, commits, waiting, draining } = *others;
        let mut text = Text::default();
        let opened = self.connections_opened.get();
        let open = opened.saturating_sub(self.connections_closed.get());
        text.one("connections", "gauge", "Open connections.", open);
        text.one("draining", "gauge", "1 while the server shuts down.", draining.into());
        let help = "Long polls, subscriptions and the server's workers that wait for jobs.";
        text.one("jobs_waiting", "gauge", help, waiting);
        for (name, help, value) in [
            ("connections_opened_total", "Connections ever opened.", opened),
            (
                "refused_total",
                "Connections refused: there were as many as may be.",
                self.refused.get(),
            ),
            ("frames_received_total", "Frames from clients.", self.frames_received.get()),
            ("received_bytes_total", "Bytes of those frames.", self.bytes_received.get()),
            ("frames_sent_total", "Frames to clients.", self.frames_sent.get()),
            ("sent_bytes_total", "Bytes of those frames.", self.bytes_sent.get()),
            ("entries_delivered_total", "Live entries passed on.", self.entries_delivered.get()),
            ("replays_total", "Short reads of a log for a reader.", self.replays.get()),
            ("pages_total", "History pages read.", self.pages.get()),
            ("signals_total", "Volatile events taken.", self.signals.get()),
            ("dropped_total", "Items dropped at a full queue.", dropped),
            ("appended_total", "Events appended to logs.", self.appended.get()),
            ("commits_total", "Batches of writes synced to the disk.", commits),
            ("panics_total", "Connections ended by a panic.", self.panics.get()),
        ] {
            text.one(name, "counter", help, value);
        }
        text.head("emits_total", "counter", "Appends by what became of them.");
        for (verdict, counter) in [
            ("ack", &self.acked),
            ("reject", &self.rejected),
            ("again", &self.again),
            ("retry_after", &self.deferred),
            ("moved", &self.moved),
        ] {
            text.line(&format!("emits_total{{verdict=\"{verdict}\"}}"), counter.get());
        }
        self.append_seconds(&mut text);
        self.jobs.render(&mut text);
        gauges::render(queues, &mut text);
        text.0
    }

    fn append_seconds(&self, text: &mut Text) {
        let help = "From submission to durable, as the caller waits.";
        text.head("append_seconds", "histogram", help);
        let mut so_far = 0;
        for (bound, bucket) in BUCKETS.iter().zip(&self.appends.buckets) {
            so_far += bucket.get();
            let line = format!("append_seconds_bucket{{le=\"{}\"}}", seconds(*bound));
            text.line(&line, so_far);
        }
        let count = self.appends.count.get();
        text.line("append_seconds_bucket{le=\"+Inf\"}", count);
        text.line("append_seconds_sum", seconds(self.appends.micros.get()));
        text.line("append_seconds_count", count);
    }
}

impl Jobs {
    fn moved(&self, moved: &Move) {
        let counter = match (moved.from, moved.to) {
            (None, _) => &self.enqueued,
            (from, to) if from == to => return,
            (_, Some(Place::Leased)) => &self.started,
            (_, Some(Place::Done)) => &self.done,
            (_, Some(Place::Dead)) => &self.dead,
            (_, Some(Place::Cancelled)) => &self.cancelled,
            (Some(Place::Leased), Some(_)) => &self.back,
            _ => return,
        };
        counter.add(1);
    }

    fn render(&self, text: &mut Text) {
        text.head("jobs_total", "counter", "What has happened to jobs.");
        for (what, counter) in [
            ("enqueued", &self.enqueued),
            ("started", &self.started),
            ("done", &self.done),
            ("back", &self.back),
            ("dead", &self.dead),
            ("cancelled", &self.cancelled),
            ("fenced", &self.fenced),
        ] {
            text.line(&format!("jobs_total{{what=\"{what}\"}}"), counter.get());
        }
    }
}

fn seconds(micros: u64) -> impl std::fmt::Display {
    Duration::from_micros(micros).as_secs_f64()
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.write(format_args!("# HELP holdfast_{name} {help}\n# TYPE holdfast_{name} {kind}\n"));
    }

    fn line(&mut self, name: &str, value: impl std::fmt::Display) {
        self.write(format_args!("holdfast_{name} {value}\n"));
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.head(name, kind, help);
        self.line(name, value);
    }

    fn write(&mut self, args: std::fmt::Arguments<'_>) {
        self.0.write_fmt(args).expect("a String takes everything");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_stands_in_every_bucket_above_it() {
        let metrics = Metrics::default();
        metrics.appended(&Appended::Moved, Duration::from_micros(800));
        metrics.appended(&Appended::Settled, Duration::from_secs(60));
        let text = metrics.render(&Others { dropped: 3, commits: 2, ..Others::default() }, &[]);
        for line in [
            "holdfast_append_seconds_bucket{le=\"0.0005\"} 0",
            "holdfast_append_seconds_bucket{le=\"0.001\"} 1",
            "holdfast_append_seconds_bucket{le=\"2.5\"} 1",
            "holdfast_append_seconds_bucket{le=\"+Inf\"} 2",
            "holdfast_append_seconds_sum 60.0008",
            "holdfast_emits_total{verdict=\"again\"} 1",
            "holdfast_emits_total{verdict=\"moved\"} 1",
            "holdfast_emits_total{verdict=\"retry_after\"} 0",
            "holdfast_dropped_total 3",
            "holdfast_commits_total 2",
            "holdfast_appended_total 0",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} in\n{text}");
        }
    }
}
