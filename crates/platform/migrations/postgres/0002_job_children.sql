-- What a job waits for stands under it; people are shown the job on top.
ALTER TABLE jobs ADD COLUMN parent_id BIGINT;
-- Higher is taken first.
ALTER TABLE jobs ADD COLUMN priority BIGINT NOT NULL DEFAULT 0;
-- How much of its parent's work this is, beside its siblings.
ALTER TABLE jobs ADD COLUMN weight DOUBLE PRECISION NOT NULL DEFAULT 1;
-- Since when, and from which progress on, it has gone on without a pause: the time that is left is estimated from it.
ALTER TABLE jobs ADD COLUMN pace_at BIGINT;
ALTER TABLE jobs ADD COLUMN pace_progress DOUBLE PRECISION NOT NULL DEFAULT 0;
CREATE INDEX jobs_parent ON jobs (parent_id, state);
