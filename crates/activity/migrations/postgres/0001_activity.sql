-- Everybody who ever did something here: `listed` titles in My List, `changes` of taste so far.
CREATE TABLE profiles (
    profile_id BIGINT PRIMARY KEY,
    listed BIGINT NOT NULL DEFAULT 0,
    changes BIGINT NOT NULL DEFAULT 0
);

-- All that a profile has to do with a title. `opinion`: half stars 1 to 10, 101 like, 102 dislike. The key leads with the
-- profile, so that shards by profile hold all of a person.
CREATE TABLE states (
    profile_id BIGINT NOT NULL,
    title_id BIGINT NOT NULL,
    opinion BIGINT,
    rated_at BIGINT,
    position_ms BIGINT,
    duration_ms BIGINT,
    watched DOUBLE PRECISION,
    finished BOOLEAN,
    watched_at BIGINT,
    listed_at BIGINT,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (profile_id, title_id)
);

-- The read model of everybody's ratings, kept in the transaction of each change.
CREATE TABLE title_ratings (
    title_id BIGINT PRIMARY KEY,
    stars_1 BIGINT NOT NULL,
    stars_2 BIGINT NOT NULL,
    stars_3 BIGINT NOT NULL,
    stars_4 BIGINT NOT NULL,
    stars_5 BIGINT NOT NULL,
    stars_6 BIGINT NOT NULL,
    stars_7 BIGINT NOT NULL,
    stars_8 BIGINT NOT NULL,
    stars_9 BIGINT NOT NULL,
    stars_10 BIGINT NOT NULL,
    likes BIGINT NOT NULL,
    dislikes BIGINT NOT NULL,
    version BIGINT NOT NULL
);

-- Totals, spread over shards so that writers do not queue for one row.
CREATE TABLE counters (
    shard BIGINT PRIMARY KEY,
    changes BIGINT NOT NULL,
    profiles BIGINT NOT NULL
);

-- The profiles of viewers of other systems. `generated`: made by an import, nobody logs in with it.
CREATE TABLE imported_viewers (
    source TEXT NOT NULL,
    viewer TEXT NOT NULL,
    profile_id BIGINT NOT NULL,
    generated BOOLEAN NOT NULL,
    PRIMARY KEY (source, viewer)
);
CREATE INDEX imported_viewers_profile ON imported_viewers (profile_id);
