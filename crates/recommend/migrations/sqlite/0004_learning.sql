-- What people favoured since the model was trained, and what they had done before it (JSON), so that a restart goes on counting.
CREATE TABLE acts (
    profile_id BIGINT NOT NULL,
    title_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (profile_id, title_id)
);
CREATE INDEX acts_at ON acts (at);

-- The search for settings: where it stands, as JSON. One row.
CREATE TABLE tuning (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    state TEXT NOT NULL
);

-- Vectors of texts from an embedding endpoint, by model and SHA-256 of the text: little-endian f32.
CREATE TABLE embeddings (
    model TEXT NOT NULL,
    text_hash TEXT NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (model, text_hash)
);
