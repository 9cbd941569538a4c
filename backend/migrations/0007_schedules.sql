-- Schedules: jobs that are enqueued by the wall clock.

CREATE TABLE schedules (
    seq       INTEGER PRIMARY KEY,
    id        BLOB NOT NULL UNIQUE,          -- another one each time that it is made anew
    namespace TEXT NOT NULL,
    name      TEXT NOT NULL,
    queue     INTEGER NOT NULL REFERENCES queues (seq),
    cron      TEXT NOT NULL,
    next      INTEGER,                       -- its next occurrence, wall time; null: it is paused
    reason    TEXT,                          -- why, where nobody has paused it
    last      INTEGER,                       -- its last occurrence that was fired
    made      INTEGER NOT NULL,              -- wall time
    who       BLOB NOT NULL,
    kind      TEXT NOT NULL,                 -- of each of its jobs, and all below
    content   INTEGER NOT NULL,              -- the payload's row in `contents`; each job has a copy
    delay     INTEGER NOT NULL,
    priority  INTEGER NOT NULL,
    grp       TEXT,
    most      INTEGER,                       -- attempts
    backoff   INTEGER,
    expires   INTEGER,
    asker     BLOB,
    UNIQUE (namespace, name)
) STRICT;

CREATE INDEX schedules_next ON schedules (next) WHERE next IS NOT NULL;
