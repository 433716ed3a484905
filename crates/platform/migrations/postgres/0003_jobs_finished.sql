-- What ended since a moment, and what ended too long ago to be kept.
CREATE INDEX jobs_finished ON jobs (finished_at);
