-- Subtitles that came as files of their own, beside those that lie in a title's videos.
CREATE TABLE subtitles (
    id BIGINT NOT NULL PRIMARY KEY,
    title_id BIGINT NOT NULL,
    -- What whoever brought the file knows it by: another one under it takes its place.
    origin TEXT NOT NULL,
    filename TEXT NOT NULL,
    -- BCP 47; NULL: nobody says.
    language TEXT,
    kind TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    -- storing: its file is being written; ready; retired: its file goes once nobody can be watching it.
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX subtitles_title_ready ON subtitles (title_id, origin) WHERE state = 'ready';
CREATE INDEX subtitles_state ON subtitles (state, changed_at);
