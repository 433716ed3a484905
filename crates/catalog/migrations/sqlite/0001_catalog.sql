-- Films, series and episodes. `genres` is a JSON array in the curator's order.
CREATE TABLE titles (
    id BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    original_name TEXT,
    year BIGINT,
    genres TEXT NOT NULL,
    description TEXT NOT NULL,
    maturity BIGINT NOT NULL,
    duration_ms BIGINT,
    published BOOLEAN NOT NULL,
    -- Where an episode stands.
    series BIGINT,
    season BIGINT,
    episode BIGINT,
    -- Changes with every picture; the keys of uploaded ones.
    artwork_version BIGINT NOT NULL DEFAULT 1,
    poster_key TEXT,
    backdrop_key TEXT,
    -- What streaming has ready.
    video_asset BIGINT,
    video_duration_ms BIGINT,
    video_height BIGINT,
    -- Digest of what an importer last brought; the same again changes nothing, not even what a curator edited since.
    imported_digest BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX titles_place ON titles (series, season, episode);

CREATE TABLE external_ids (
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    title BIGINT NOT NULL,
    place BIGINT NOT NULL,
    PRIMARY KEY (source, id)
) WITHOUT ROWID;
CREATE INDEX external_ids_title ON external_ids (title, place);

-- People are told apart by name, all that the sources give.
CREATE TABLE people (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE credits (
    title BIGINT NOT NULL,
    place BIGINT NOT NULL,
    person BIGINT NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (title, place)
) WITHOUT ROWID;

-- Absolute figures that activity told; the higher version is the newer.
CREATE TABLE title_ratings (
    title BIGINT NOT NULL PRIMARY KEY,
    count BIGINT NOT NULL,
    sum BIGINT NOT NULL,
    version BIGINT NOT NULL
);

-- The last event that told of a change of titles: the search index says which one it has seen.
CREATE TABLE catalog_version (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    version BIGINT NOT NULL
);
INSERT INTO catalog_version (one, version) VALUES (1, 0);
