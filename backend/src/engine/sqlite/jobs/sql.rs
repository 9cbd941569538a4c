//! Every statement about queues and jobs, in one place, so that a test sees how each is carried out:
//! none may walk a table, or sort.

/// The statements, and a list of all of them for the test.
macro_rules! statements {
    ($($name:ident = $sql:expr;)*) => {
        $(pub(super) const $name: &str = $sql;)*
        #[cfg(test)]
        pub(in crate::engine::sqlite) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}
pub(in crate::engine::sqlite) use statements;

/// Selects whole rows of jobs, in the order of [`row`](super::row)'s columns.
macro_rules! select_jobs {
    ($rest:literal) => {
        concat!(select_jobs!(@columns ""), "FROM jobs ", $rest)
    };
    (@columns $more:literal) => {
        concat!(
            "SELECT seq, id, queue, kind, content, outcome, place, urgency, due, expires, grp,
                attempt, most, snoozes, backoff, fence, key, consumer, person, since, progress,
                note, spent, asker, told, made, said",
            $more,
            " "
        )
    };
}

/// Selects whole rows of queues.
macro_rules! select_queues {
    ($rest:literal) => {
        concat!(
            "SELECT seq, namespace, name, settings, own, paused, tat, ready, delayed, behind,
                leased, done, dead
             FROM queues ",
            $rest
        )
    };
}

statements! {
    QUEUE = select_queues!("WHERE seq = ?1");
    QUEUE_NAMED = select_queues!("WHERE namespace = ?1 AND name = ?2");
    QUEUES = select_queues!("ORDER BY namespace, name");
    ADD_QUEUE = "INSERT INTO queues (namespace, name, settings) VALUES (?1, ?2, ?3)";
    KEEP_QUEUE = "UPDATE queues SET settings = ?2, own = ?3, paused = ?4 WHERE seq = ?1";
    COUNT_QUEUE = "UPDATE queues SET tat = ?2, ready = ?3, delayed = ?4, behind = ?5, leased = ?6,
        done = ?7, dead = ?8 WHERE seq = ?1";

    JOB = select_jobs!("WHERE id = ?1");
    ADD_JOB = "INSERT INTO jobs (id, queue, kind, content, outcome, place, urgency, due, expires,
            grp, attempt, most, snoozes, backoff, asker, told, made, said)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
    KEEP_JOB = "UPDATE jobs SET outcome = ?2, place = ?3, due = ?4, expires = ?5, attempt = ?6,
        snoozes = ?7, fence = ?8, key = ?9, consumer = ?10, person = ?11, since = ?12,
        progress = ?13, note = ?14, spent = ?15, told = ?16, content = ?17 WHERE seq = ?1";
    DROP_JOB = "DELETE FROM jobs WHERE seq = ?1";

    READY = concat!(
        select_jobs!(@columns ", (SELECT data FROM contents WHERE seq = jobs.content)"),
        "FROM jobs WHERE queue = ?1 AND place = 0 ORDER BY urgency, seq LIMIT ?2"
    );
    // From one priority to the next, and of each the first: however many wait, these are few.
    URGENCY = "SELECT urgency FROM jobs
        WHERE queue = ?1 AND place = 0 AND urgency > ?2 ORDER BY urgency LIMIT 1";
    OLDEST = "SELECT made FROM jobs
        WHERE queue = ?1 AND place = 0 AND urgency = ?2 ORDER BY seq LIMIT 1";
    HAS_HEAD = "SELECT EXISTS (SELECT 1 FROM jobs
        WHERE queue = ?1 AND grp = ?2 AND grp IS NOT NULL AND place IN (0, 1, 3))";
    BEHIND = select_jobs!("WHERE queue = ?1 AND grp = ?2 AND place = 2 ORDER BY seq LIMIT 1");
    EXPIRES = "SELECT id FROM jobs
        WHERE expires <= ?1 AND expires IS NOT NULL AND place < 3 ORDER BY expires, seq LIMIT ?2";
    LAPSES = "SELECT id FROM jobs WHERE due <= ?1 AND place = 3 ORDER BY due, seq LIMIT ?2";
    DUE = "SELECT id FROM jobs WHERE due <= ?1 AND place = 1 ORDER BY due, seq LIMIT ?2";
    NEXT_EXPIRES = "SELECT min(expires) FROM jobs WHERE expires IS NOT NULL AND place < 3";
    NEXT_LAPSES = "SELECT min(due) FROM jobs WHERE place = 3";
    NEXT_DUE = "SELECT min(due) FROM jobs WHERE place = 1";
    ENDED = select_jobs!("WHERE queue = ?1 AND place IN (4, 6) AND told = 1 AND due <= ?2 LIMIT ?3");
    UNTOLD = select_jobs!("WHERE told = 0 AND seq > ?1 ORDER BY seq LIMIT ?2");

    LIST_READY = select_jobs!("WHERE queue = ?1 AND place = 0 AND (urgency, seq) > (?2, ?3)
        ORDER BY urgency, seq LIMIT ?4");
    LIST_WAITING = select_jobs!("WHERE queue = ?1 AND place IN (1, 2) AND place = ?5
        AND (due, seq) > (?2, ?3) ORDER BY due, seq LIMIT ?4");
    LIST_LEASED = select_jobs!("WHERE queue = ?1 AND place = 3 AND (due, seq) > (?2, ?3)
        ORDER BY due, seq LIMIT ?4");
    LIST_DEAD = select_jobs!("WHERE queue = ?1 AND place = 5 AND (due, seq) < (?2, ?3)
        ORDER BY due DESC, seq DESC LIMIT ?4");
    LIST_ENDED = select_jobs!("WHERE queue = ?1 AND place IN (4, 6) AND place = ?5 AND told = ?6
        AND (due, seq) < (?2, ?3) ORDER BY due DESC, seq DESC LIMIT ?4");

    ADD_AUDIT = "INSERT INTO audit (at, who, name, deed, queue, job, jobs, detail)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    OLD_AUDITS = "DELETE FROM audit WHERE seq <= ?1";
    COUNT_AUDIT = "UPDATE audit SET jobs = jobs + ?2 WHERE seq = ?1";
    AUDITS = "SELECT seq, at, who, name, deed, job, jobs, detail FROM audit
        WHERE queue = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3";

    CONTENT = "SELECT data FROM contents WHERE seq = ?1";

    ADD_ATTEMPT = "INSERT INTO attempts (job, n, attempt, fence, at, took, lapsed, consumer, error)
        VALUES (?1, 1 + coalesce((SELECT max(n) FROM attempts WHERE job = ?1), 0),
            ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING n";
    OLD_ATTEMPTS = "DELETE FROM attempts WHERE job = ?1 AND n <= ?2";
    DROP_ATTEMPTS = "DELETE FROM attempts WHERE job = ?1";
    ATTEMPTS = "SELECT attempt, fence, at, took, lapsed, consumer, error FROM attempts
        WHERE job = ?1 ORDER BY n";
    LAST_ATTEMPT = "SELECT attempt, fence, at, took, lapsed, consumer, error FROM attempts
        WHERE job = ?1 ORDER BY n DESC LIMIT 1";

    KEYED = "SELECT body_hash, jobs FROM job_keys WHERE queue = ?1 AND caller = ?2 AND key = ?3";
    ADD_KEY = "INSERT INTO job_keys (queue, caller, key, body_hash, jobs, until)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT DO UPDATE SET body_hash = ?4, jobs = ?5, until = ?6";
    OVER_KEYS = "SELECT queue, caller, key, jobs FROM job_keys WHERE until <= ?1
        ORDER BY until LIMIT ?2";
    DROP_KEY = "DELETE FROM job_keys WHERE queue = ?1 AND caller = ?2 AND key = ?3";
    KEEP_KEY = "UPDATE job_keys SET until = ?4 WHERE queue = ?1 AND caller = ?2 AND key = ?3";
    IS_THERE = "SELECT EXISTS (SELECT 1 FROM jobs WHERE id = ?1)";

    STANDS = "SELECT i.offset FROM rooms r JOIN ids i ON i.room = r.seq
        WHERE r.id = ?1 AND i.id = ?2";

    FENCE = "SELECT fence FROM store_clock WHERE seq = 1";
    KEEP_FENCE = "UPDATE store_clock SET fence = ?1 WHERE seq = 1";
    SKIP_FENCES = "UPDATE store_clock SET fence = max(fence + (1 << 32), ?1) WHERE seq = 1";
    CLOCK = "SELECT at, wall FROM store_clock WHERE seq = 1";
    KEEP_CLOCK = "UPDATE store_clock SET at = ?1, wall = ?2 WHERE seq = 1";
    GIVE = "UPDATE jobs SET due = due + ?1 WHERE place = 3";
}

/// What is done may be taken back to here: no statements about rows.
pub(super) const SAVE: &str = "SAVEPOINT part";
pub(super) const TAKE_BACK: &str = "ROLLBACK TO part";
pub(super) const RELEASE: &str = "RELEASE part";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::sqlite::{hooks, open};
    use rusqlite::{Connection, StatementStatus};

    /// What may walk all there is of something, which is little.
    const WALKS: &[(&str, &str)] = &[
        ("QUEUES", "SCAN queues USING INDEX sqlite_autoindex_queues_1"),
        ("GIVE", "SCAN jobs USING INDEX jobs_leased"),
        // In the order that is asked for, up to a limit.
        ("UNTOLD", "SCAN jobs USING INDEX jobs_untold"),
    ];

    fn plan(db: &Connection, sql: &str) -> Vec<String> {
        let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let count = explain.parameter_count();
        let nothing = vec![rusqlite::types::Null; count];
        let rows = explain.query_map(rusqlite::params_from_iter(nothing), |row| row.get(3));
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn no_statement_walks_a_table_or_sorts() {
        let db = open::in_memory();
        for (name, sql) in ALL.iter().chain(hooks::ALL) {
            for step in plan(&db, sql) {
                let walks = step.starts_with("SCAN") && step != "SCAN CONSTANT ROW";
                let may = WALKS.iter().any(|(who, how)| who == name && step.starts_with(how));
                assert!(!walks || may, "{name}: {step}");
                assert!(!step.contains("TEMP B-TREE"), "{name}: {step}");
            }
        }
    }

    #[test]
    fn each_statement_finds_its_rows_by_its_own_index() {
        let db = open::in_memory();
        for (name, sql, index) in [
            ("READY", READY, "jobs_ready"),
            ("URGENCY", URGENCY, "jobs_ready"),
            ("OLDEST", OLDEST, "jobs_ready"),
            ("HAS_HEAD", HAS_HEAD, "jobs_heads"),
            ("BEHIND", BEHIND, "jobs_behind"),
            ("EXPIRES", EXPIRES, "jobs_expire"),
            ("LAPSES", LAPSES, "jobs_leased"),
            ("DUE", DUE, "jobs_delayed"),
            ("NEXT_EXPIRES", NEXT_EXPIRES, "jobs_expire"),
            ("NEXT_LAPSES", NEXT_LAPSES, "jobs_leased"),
            ("NEXT_DUE", NEXT_DUE, "jobs_delayed"),
            ("ENDED", ENDED, "jobs_ended"),
            ("UNTOLD", UNTOLD, "jobs_untold"),
            ("LIST_READY", LIST_READY, "jobs_ready"),
            ("LIST_WAITING", LIST_WAITING, "jobs_waiting"),
            ("LIST_LEASED", LIST_LEASED, "jobs_leased"),
            ("LIST_DEAD", LIST_DEAD, "jobs_dead"),
            ("LIST_ENDED", LIST_ENDED, "jobs_ended"),
            ("OVER_KEYS", OVER_KEYS, "job_keys_until"),
            ("GIVE", GIVE, "jobs_leased"),
        ] {
            let plan = plan(&db, sql);
            let mut used =
                plan.iter().filter(|step| step.contains(" jobs") || step.contains("_keys"));
            let uses = |step: &String| step.contains(&format!("INDEX {index}"));
            assert!(used.all(uses) && plan.iter().any(uses), "{name}: {plan:?}");
        }
    }

    #[test]
    fn no_statement_is_planned_again_for_other_values() {
        let db = open::in_memory();
        for (name, sql) in ALL.iter().chain(hooks::ALL) {
            let mut statement = db.prepare(sql).unwrap();
            for value in 1..4 {
                let values = vec![value; statement.parameter_count()];
                let mut rows = statement.query(rusqlite::params_from_iter(values)).unwrap();
                // What the values make of the tables is of no matter here.
                let _ = rows.next();
            }
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{name}");
        }
    }
}
