-- An append touches fewer pages.

-- Ids by the id and then by the room: new ones are near each other whatever their room, since an id
-- begins with the time of its making.
ALTER TABLE ids RENAME TO ids_by_room;
CREATE TABLE ids (
    id     BLOB NOT NULL,
    room   INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    reply  TEXT,                             -- JSON; null where it is `null`
    PRIMARY KEY (id, room)
) STRICT, WITHOUT ROWID;
-- In the order in which they lie: to sort them would take as much memory as they take room.
INSERT INTO ids (id, room, offset, reply) SELECT id, room, offset, reply FROM ids_by_room;
DROP TABLE ids_by_room;

-- Each entry names the item before it, an item being an entry that stands for itself. So a page of
-- history is walked from item to item, and no index of them has to grow with every entry.
ALTER TABLE rooms ADD COLUMN last_item INTEGER NOT NULL DEFAULT 0;  -- its offset; 0 if there is none
ALTER TABLE entries ADD COLUMN prior_item INTEGER NOT NULL DEFAULT 0;
UPDATE entries SET prior_item = coalesce((
    SELECT max(item.place) & ((1 << 38) - 1) FROM entries item INDEXED BY items
    WHERE item.role = 0 AND item.place < entries.place AND item.place >= entries.place >> 38 << 38
), 0);
UPDATE rooms SET last_item = coalesce((
    SELECT max(item.place) & ((1 << 38) - 1) FROM entries item INDEXED BY items
    WHERE item.role = 0 AND item.place >= rooms.seq << 38 AND item.place < (rooms.seq + 1) << 38
), 0);
DROP INDEX items;
