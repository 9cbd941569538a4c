-- Queues and jobs.
--
-- A time is one of the store's clock, in milliseconds, but where it says wall time.

CREATE TABLE store_clock (
    seq   INTEGER PRIMARY KEY CHECK (seq = 1),
    at    INTEGER NOT NULL,                  -- what the store's clock said
    wall  INTEGER NOT NULL,                  -- the wall time of the same moment; 0 if there was none
    fence INTEGER NOT NULL                   -- the last lease's
) STRICT;
INSERT INTO store_clock (seq, at, wall, fence) VALUES (1, 0, 0, 0);

CREATE TABLE queues (
    seq       INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    name      TEXT NOT NULL,
    settings  TEXT NOT NULL,                 -- JSON
    own       INTEGER NOT NULL DEFAULT 0,    -- whether an operator has set them
    paused    INTEGER NOT NULL DEFAULT 0,
    tat       INTEGER NOT NULL DEFAULT 0,    -- what the rate goes by, in nanoseconds
    -- How many jobs are in each place.
    ready     INTEGER NOT NULL DEFAULT 0,
    delayed   INTEGER NOT NULL DEFAULT 0,
    behind    INTEGER NOT NULL DEFAULT 0,
    leased    INTEGER NOT NULL DEFAULT 0,
    done      INTEGER NOT NULL DEFAULT 0,
    dead      INTEGER NOT NULL DEFAULT 0,
    UNIQUE (namespace, name)
) STRICT;

-- Small rows: payloads stand in `contents`. A job is in one place by construction: to move it is one
-- UPDATE of its row, and each index below holds the rows of its places alone.
CREATE TABLE jobs (
    seq      INTEGER PRIMARY KEY,
    id       BLOB NOT NULL UNIQUE,
    queue    INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    content  INTEGER NOT NULL,               -- the payload's row in `contents`
    outcome  INTEGER,                        -- that of the result, or of the last typed failure
    place    INTEGER NOT NULL,               -- 0 ready, 1 delayed, 2 behind, 3 leased, 4 done, 5 dead, 6 cancelled
    urgency  INTEGER NOT NULL,               -- the priority with its sign turned: lower first
    due      INTEGER NOT NULL,               -- when it may begin; when its lease runs out; when it ended
    expires  INTEGER,
    grp      TEXT,
    attempt  INTEGER NOT NULL,
    most     INTEGER NOT NULL,               -- attempts
    snoozes  INTEGER NOT NULL,
    backoff  INTEGER NOT NULL,
    fence    INTEGER,                        -- of a leased job, and the five below
    key      INTEGER,
    consumer TEXT,
    person   BLOB,
    since    INTEGER,
    progress INTEGER,
    note     TEXT,
    spent    BLOB,                           -- the lease that ended last
    asker    BLOB,
    told     INTEGER NOT NULL,               -- 0: its asker is to be told of its end
    made     INTEGER NOT NULL
) STRICT;

-- A statement uses one of these if it has the same condition, word for word.
CREATE INDEX jobs_ready ON jobs (queue, urgency, seq) WHERE place = 0;
CREATE INDEX jobs_delayed ON jobs (due, seq) WHERE place = 1;
CREATE INDEX jobs_behind ON jobs (queue, grp, seq) WHERE place = 2;
CREATE INDEX jobs_leased ON jobs (due, seq) WHERE place = 3;
CREATE INDEX jobs_expire ON jobs (expires, seq) WHERE expires IS NOT NULL AND place < 3;
CREATE INDEX jobs_dead ON jobs (queue, seq) WHERE place = 5;
CREATE INDEX jobs_ended ON jobs (queue, due) WHERE place IN (4, 6);
CREATE INDEX jobs_untold ON jobs (seq) WHERE told = 0;
-- Of a group one job holds up the others.
CREATE UNIQUE INDEX jobs_heads ON jobs (queue, grp) WHERE grp IS NOT NULL AND place IN (0, 1, 3);

-- The attempts that did not complete their job, and what else ended a job.
CREATE TABLE attempts (
    job      INTEGER NOT NULL,
    n        INTEGER NOT NULL,               -- rises
    attempt  INTEGER NOT NULL,
    fence    INTEGER NOT NULL,               -- 0 where there was no lease
    at       INTEGER NOT NULL,               -- wall time
    took     INTEGER NOT NULL,
    lapsed   INTEGER NOT NULL,
    consumer TEXT NOT NULL,
    error    TEXT NOT NULL,
    PRIMARY KEY (job, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_keys (
    queue     INTEGER NOT NULL,
    caller    BLOB NOT NULL,
    key       TEXT NOT NULL,
    body_hash BLOB NOT NULL,                 -- SHA-256
    jobs      BLOB NOT NULL,                 -- their ids, one behind the other
    until     INTEGER NOT NULL,
    PRIMARY KEY (queue, caller, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_keys_until ON job_keys (until);

-- What people have done to queues and jobs.
CREATE TABLE audit (
    seq    INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,                 -- wall time
    who    BLOB NOT NULL,
    name   TEXT NOT NULL,
    deed   TEXT NOT NULL,
    queue  INTEGER,
    job    BLOB,
    count  INTEGER NOT NULL,
    detail TEXT
) STRICT;
