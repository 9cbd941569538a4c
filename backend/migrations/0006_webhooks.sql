-- Webhooks: addresses that are told of what is appended to rooms.

CREATE TABLE webhooks (
    seq     INTEGER PRIMARY KEY,
    id      BLOB NOT NULL UNIQUE,
    room    INTEGER NOT NULL REFERENCES rooms (seq),
    url     TEXT NOT NULL,
    secret  BLOB NOT NULL,
    before  BLOB,                            -- the secret before that one
    kinds   TEXT,                            -- JSON: the types of events; null: all
    ordered INTEGER NOT NULL,
    state   INTEGER NOT NULL,                -- 0 active, 1 ended by its receiver
    made    INTEGER NOT NULL,                -- wall time, as the next one
    changed INTEGER NOT NULL,                -- when its secret was
    who     BLOB NOT NULL
) STRICT;

CREATE INDEX webhooks_of_room ON webhooks (room, seq);

-- How many active ones a room has: it is read with the room, so that one without any costs an
-- append nothing.
ALTER TABLE rooms ADD COLUMN hooks INTEGER NOT NULL DEFAULT 0;
