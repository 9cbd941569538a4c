-- By what the repeat of an enqueue is known that was said with its job's id: SHA-256 of what was said.
ALTER TABLE jobs ADD COLUMN said BLOB;
