-- Trained models: what is known of each, as JSON, and where it stands. The artefact lies in blob storage under models/<id>.
CREATE TABLE models (
    model_id BIGINT PRIMARY KEY,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changes BIGINT NOT NULL,
    info TEXT NOT NULL
);

-- The model that serves: one row.
CREATE TABLE active_model (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    model_id BIGINT NOT NULL
);

-- What was shown: one row per page. `content` is packed as impressions.rs says. Ids grow with time, so rows are appended.
CREATE TABLE pages (
    page_id BIGINT PRIMARY KEY,
    profile_id BIGINT NOT NULL,
    model_id BIGINT,
    content BYTEA NOT NULL
);
CREATE INDEX pages_profile ON pages (profile_id);

-- Decayed counts of what happens now, so that a restart does not forget it. Logarithm to base 2 of the count at time 0.
CREATE TABLE trending (
    title_id BIGINT PRIMARY KEY,
    log_count DOUBLE PRECISION NOT NULL
);
