-- Uploads whose length is said later, partial and joined ones, and those that have expired.
-- 0: nobody has said yet how long the file is; `bytes` is what has arrived.
ALTER TABLE uploads ADD COLUMN length_known BIGINT NOT NULL DEFAULT 1;
-- Empty: a file of its own; partial: waits for being joined; else the ids of the parts that it was joined of, with spaces.
ALTER TABLE uploads ADD COLUMN parts TEXT NOT NULL DEFAULT '';
-- What its client knows the file by.
ALTER TABLE uploads ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
-- `state` knows one more: expired, the file is gone and the row remembers that it was there.
