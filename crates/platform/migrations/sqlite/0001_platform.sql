-- Facts, in the order in which they were committed (one writer at a time).
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id BIGINT NOT NULL UNIQUE,
    at BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX outbox_at ON outbox (at);

-- How far each durable subscriber has come.
CREATE TABLE outbox_cursor (
    subscriber TEXT NOT NULL PRIMARY KEY,
    tx BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL
);

-- Facts that a durable subscriber could not take after many attempts, kept for a person to look at.
CREATE TABLE outbox_parked (
    subscriber TEXT NOT NULL,
    id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    parked_at BIGINT NOT NULL,
    body TEXT NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (subscriber, id)
);

-- Facts of other rooms whose effect is already in this database.
CREATE TABLE inbox (
    subscriber TEXT NOT NULL,
    id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (subscriber, id)
) WITHOUT ROWID;
CREATE INDEX inbox_at ON inbox (at);

CREATE TABLE jobs (
    id BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    dedup_key TEXT UNIQUE,
    subject TEXT NOT NULL,
    title_id BIGINT,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    progress DOUBLE PRECISION NOT NULL DEFAULT 0,
    stage TEXT NOT NULL DEFAULT '',
    error TEXT,
    outcome TEXT,
    attempts BIGINT NOT NULL DEFAULT 0,
    attempts_max BIGINT NOT NULL,
    cancel_requested BOOLEAN NOT NULL DEFAULT FALSE,
    lease BIGINT,
    lease_until BIGINT,
    run_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT
);
CREATE INDEX jobs_ready ON jobs (state, run_at);
