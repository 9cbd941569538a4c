-- Inboxes: rooms that belong to one person.

ALTER TABLE rooms ADD COLUMN owner BLOB;     -- whose inbox it is; null of any other room

-- Inboxes need no name of their own, and take none from other rooms.
DROP INDEX room_names;
CREATE UNIQUE INDEX room_names ON rooms (namespace, name_key) WHERE gone = 0 AND owner IS NULL;

CREATE UNIQUE INDEX inboxes ON rooms (owner, namespace) WHERE gone = 0 AND owner IS NOT NULL;
