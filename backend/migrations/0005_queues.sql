-- Jobs and audits in the form in which they are used.
--
-- No release before this one had a way in to queues, so nothing is in these tables yet.

DROP TABLE jobs;
DROP TABLE audit;

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
    fence    INTEGER NOT NULL DEFAULT 0,     -- the last that was given for it, to a lease or a requeue
    key      INTEGER,                        -- of a leased job, and the five below
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
CREATE INDEX jobs_waiting ON jobs (queue, place, due) WHERE place IN (1, 2);
CREATE INDEX jobs_leased ON jobs (due, seq, queue) WHERE place = 3;
CREATE INDEX jobs_expire ON jobs (expires, seq) WHERE expires IS NOT NULL AND place < 3;
CREATE INDEX jobs_dead ON jobs (queue, due) WHERE place = 5;
CREATE INDEX jobs_ended ON jobs (queue, place, told, due) WHERE place IN (4, 6);
CREATE INDEX jobs_untold ON jobs (seq) WHERE told = 0;
-- Of a group one job holds up the others.
CREATE UNIQUE INDEX jobs_heads ON jobs (queue, grp) WHERE grp IS NOT NULL AND place IN (0, 1, 3);

-- What people have done to queues and jobs.
CREATE TABLE audit (
    seq    INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,                 -- wall time
    who    BLOB NOT NULL,
    name   TEXT NOT NULL,
    deed   TEXT NOT NULL,
    queue  INTEGER NOT NULL,
    job    BLOB,                             -- where it was one
    jobs   INTEGER NOT NULL,                 -- to how many it was done
    detail TEXT
) STRICT;

CREATE INDEX audit_of ON audit (queue);
