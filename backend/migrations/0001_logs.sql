-- Logs, lanes and memberships.
--
-- An id is a blob of 16 bytes. A number of 64 bits without sign is stored as the signed one of
-- the same bits. A time is in milliseconds since 1970-01-01 UTC.

CREATE TABLE people (
    id          BLOB NOT NULL PRIMARY KEY,
    secret_hash BLOB NOT NULL,               -- SHA-256
    name        TEXT NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE writers (
    seq        INTEGER PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE,         -- a secret: no reader sees it
    person     BLOB NOT NULL REFERENCES people (id),
    generation INTEGER NOT NULL
) STRICT;

-- By the room's id and not by its row: an event to an unknown room is rejected by its number too.
CREATE TABLE lanes (
    seq       INTEGER PRIMARY KEY,
    writer    INTEGER NOT NULL REFERENCES writers (seq),
    room      BLOB NOT NULL,
    watermark INTEGER NOT NULL,
    UNIQUE (writer, room)
) STRICT;

-- The verdicts above the client's floor. Of an ack the rest stands in `ids`.
CREATE TABLE verdicts (
    lane   INTEGER NOT NULL REFERENCES lanes (seq),
    n      INTEGER NOT NULL,
    event  BLOB NOT NULL,
    code   TEXT,                             -- of a rejection; null of an ack
    detail TEXT,
    why    TEXT,                             -- JSON
    PRIMARY KEY (lane, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE rooms (
    seq          INTEGER PRIMARY KEY,
    id           BLOB NOT NULL UNIQUE,
    namespace    TEXT NOT NULL,
    name         TEXT NOT NULL,
    name_key     TEXT NOT NULL,              -- what is unique about the name
    creator      BLOB NOT NULL,
    created_at   INTEGER NOT NULL,
    version      INTEGER NOT NULL,           -- moves when the room is created, renamed, deleted
    gone         INTEGER NOT NULL DEFAULT 0,
    epoch        BLOB NOT NULL,
    head         INTEGER NOT NULL DEFAULT 0, -- the last entry's offset
    mark         INTEGER NOT NULL DEFAULT 0, -- the last entry's mark
    counted      INTEGER NOT NULL DEFAULT 0, -- entries up to the head that a person would count
    first        INTEGER NOT NULL DEFAULT 1, -- the first offset that is left
    trimmed_mark INTEGER NOT NULL DEFAULT 0  -- the mark before that one
) STRICT;

CREATE UNIQUE INDEX room_names ON rooms (namespace, name_key) WHERE gone = 0;

-- `seq` is the membership's version: AUTOINCREMENT, so that no later one ever has the same.
CREATE TABLE members (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    person    BLOB NOT NULL,
    room      INTEGER NOT NULL REFERENCES rooms (seq),
    joined_at INTEGER NOT NULL,
    UNIQUE (person, room)
) STRICT;

CREATE INDEX members_of_room ON members (room);

-- The logs. `place` is the room's row and the offset in one number (see `place.rs`), so that a
-- room's entries lie together in the order of their offsets and the table is its own index.
CREATE TABLE entries (
    place       INTEGER PRIMARY KEY,
    id          BLOB NOT NULL,
    mark        INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    role        INTEGER NOT NULL,            -- 0 stands for itself, 1 replaces, 2 removes
    target      INTEGER,                     -- of a replacement: the place of what it replaces
    changed     INTEGER NOT NULL DEFAULT 0,  -- the offset of what last replaced or removed it
    counts      INTEGER NOT NULL,            -- whether a person would count it
    counted     INTEGER NOT NULL,            -- how many up to here, hollow ones included
    hollow      INTEGER NOT NULL DEFAULT 0,  -- whether its content was removed
    kind        TEXT NOT NULL,
    author      BLOB NOT NULL,               -- of a hollow entry: who removed it
    author_name TEXT NOT NULL,
    content     INTEGER NOT NULL             -- its row in `contents`
) STRICT;

CREATE INDEX items ON entries (place) WHERE role = 0;
CREATE INDEX replacements ON entries (target, place) WHERE role = 1;
CREATE INDEX hollows ON entries (place) WHERE hollow = 1 AND counts = 1;

-- The payloads, in the order in which they came, whatever their room: rows are put behind the last
-- one only, and a removed one is overwritten in its place (see `content.rs`). So SQLite never has
-- to move a payload to another page, which could leave a copy behind.
CREATE TABLE contents (
    seq  INTEGER PRIMARY KEY,
    data TEXT NOT NULL                       -- JSON; white space of a hollow entry
) STRICT;

-- Every event that ever stood in a log, whatever was trimmed since: an id stands once for ever.
CREATE TABLE ids (
    room   INTEGER NOT NULL,
    id     BLOB NOT NULL,
    offset INTEGER NOT NULL,
    reply  TEXT,                             -- JSON; null where it is `null`
    PRIMARY KEY (room, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    room      INTEGER NOT NULL,
    caller    BLOB NOT NULL,
    key       TEXT NOT NULL,
    body_hash BLOB NOT NULL,                 -- SHA-256
    event     BLOB NOT NULL,
    offset    INTEGER NOT NULL,
    PRIMARY KEY (room, caller, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_by_offset ON idempotency (room, offset);

CREATE TABLE registers (
    person    BLOB NOT NULL,
    room      BLOB NOT NULL,
    namespace TEXT NOT NULL,
    kind      TEXT NOT NULL,
    rank      INTEGER NOT NULL,
    data      TEXT NOT NULL,                 -- JSON
    PRIMARY KEY (person, room, namespace, kind)
) STRICT, WITHOUT ROWID;

CREATE INDEX registers_of_room ON registers (room);

-- Where a writer that had a fault tries whether it can write again.
CREATE TABLE probe (
    seq    INTEGER PRIMARY KEY,
    filler BLOB NOT NULL
) STRICT;
