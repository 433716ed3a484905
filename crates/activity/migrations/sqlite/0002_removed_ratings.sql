-- When a person took an opinion back: an import does not bring one that is older.
CREATE TABLE removed_ratings (
    profile_id BIGINT NOT NULL,
    title_id BIGINT NOT NULL,
    removed_at BIGINT NOT NULL,
    PRIMARY KEY (profile_id, title_id)
) WITHOUT ROWID;
