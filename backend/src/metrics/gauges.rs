//! Queues as they stand, as Prometheus reads them.

use super::Text;
use holdfast_common::{storage::jobs::QueueRead, time::Millis};
use std::time::Duration;

/// What a gauge says of a queue.
type Gauge = (&'static str, &'static str, fn(&QueueRead) -> f64);

const GAUGES: [Gauge; 7] = [
    ("ready", "Jobs that wait, whatever for.", |read| {
        let counts = &read.info.counts;
        number(counts.ready + counts.delayed + counts.behind)
    }),
    ("delayed", "Jobs that may not begin yet.", |read| number(read.info.counts.delayed)),
    ("behind", "Jobs that wait for others of their group.", |read| number(read.info.counts.behind)),
    ("leased", "Jobs that somebody has.", |read| number(read.info.counts.leased)),
    ("dead", "Dead letters.", |read| number(read.info.counts.dead)),
    ("oldest_seconds", "Age of the oldest job that could begin now.", |read| {
        let Millis(age) = read.oldest.unwrap_or(Millis(0));
        Duration::from_millis(age).as_secs_f64()
    }),
    ("paused", "1 while nothing of it begins.", |read| f64::from(u8::from(read.info.paused))),
];

pub(super) fn render(queues: &[QueueRead], text: &mut Text) {
    for (name, help, value) in GAUGES {
        text.head(&format!("queue_{name}"), "gauge", help);
        for read in queues {
            let (ns, queue) = (label(&read.info.ns), label(&read.info.name));
            let line = format!("queue_{name}{{namespace=\"{ns}\",queue=\"{queue}\"}}");
            text.line(&line, value(read));
        }
    }
}

/// Prometheus' numbers are of this kind.
#[expect(clippy::cast_precision_loss, reason = "nobody counts 2^53 jobs")]
fn number(n: u64) -> f64 {
    n as f64
}

/// A label's value within its quotes.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::super::{Metrics, Others};
    use super::*;
    use holdfast_common::{
        job::QueueSettings,
        storage::jobs::{Counts, QueueInfo},
    };

    #[test]
    fn whatever_a_queue_is_called_its_gauges_are_lines_of_their_own() {
        let info = QueueInfo {
            ns: "shop".to_owned(),
            name: "a \"b\"\\\nc".to_owned(),
            settings: QueueSettings::default(),
            paused: false,
            counts: Counts { ready: 2, delayed: 3, behind: 4, ..Counts::default() },
        };
        let read = QueueRead { info, oldest: Some(Millis(1_500)) };
        let text = Metrics::default().render(&Others::default(), &[read]);
        let labels = r#"{namespace="shop",queue="a \"b\"\\\nc"}"#;
        for line in ["ready", "oldest_seconds", "dead"].into_iter().zip(["9", "1.5", "0"]) {
            let line = format!("holdfast_queue_{}{labels} {}", line.0, line.1);
            assert!(text.lines().any(|it| it == line), "{line} in\n{text}");
        }
    }

    #[test]
    fn operators_are_told_every_gauge_of_a_queue() {
        let text = include_str!("../../../docs/operations.md");
        for (name, ..) in GAUGES {
            assert!(text.contains(&format!("| `holdfast_queue_{name}` |")), "{name}");
        }
        let most = format!("The first {} queues by name", crate::limits::QUEUES_TOLD);
        assert!(text.contains(&most), "{most}");
    }
}
