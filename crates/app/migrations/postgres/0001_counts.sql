-- What each import brought, as JSON, for whoever asks for numbers instead of words.
CREATE TABLE counts (
    job_id BIGINT PRIMARY KEY,
    counts TEXT NOT NULL
);
