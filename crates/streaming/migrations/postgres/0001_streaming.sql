-- Files on their way in, and what is known of those that arrived. The bytes are in the data folder under the same id.
CREATE TABLE uploads (
    id BIGINT NOT NULL PRIMARY KEY,
    -- NULL: named by an operator on the command line.
    account_id BIGINT,
    title_id BIGINT,
    purpose TEXT NOT NULL,
    filename TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    -- How much is safely on disk.
    received BIGINT NOT NULL,
    -- open: more is to come; whole; taken: handed to an importer; packaged: the file is gone, its video is there.
    state TEXT NOT NULL,
    job_id BIGINT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX uploads_account ON uploads (account_id, state);
CREATE INDEX uploads_expires ON uploads (expires_at);

-- Packaged videos. The segments and their index are in blob storage.
CREATE TABLE assets (
    id BIGINT NOT NULL PRIMARY KEY,
    title_id BIGINT NOT NULL,
    job_id BIGINT NOT NULL,
    -- storing: not visible yet; ready: what the title plays; retired: replaced or its title deleted, removed later.
    state TEXT NOT NULL,
    duration_ms BIGINT NOT NULL,
    height BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX assets_current ON assets (title_id) WHERE state = 'ready';
CREATE INDEX assets_state ON assets (state, changed_at);

-- Presses of play.
CREATE TABLE playbacks (
    id BIGINT NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL,
    profile_id BIGINT NOT NULL,
    title_id BIGINT NOT NULL,
    asset_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX playbacks_account ON playbacks (account_id, id);
CREATE INDEX playbacks_expires ON playbacks (expires_at);

-- Keys that this room made for itself at its first start.
CREATE TABLE secrets (
    name TEXT NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);
