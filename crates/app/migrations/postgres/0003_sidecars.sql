-- What a file lay on: empty, or a digest of where another disk is mounted in the folder. What is mounted no longer is not gone.
ALTER TABLE library_files ADD COLUMN mount TEXT NOT NULL DEFAULT '';

-- Files of subtitles as they were when they were last brought in, and whose they are.
CREATE TABLE library_subtitles (
    folder TEXT NOT NULL,
    file TEXT NOT NULL,
    -- The video file that it belongs to.
    film TEXT NOT NULL,
    title_id BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    modified_ms BIGINT NOT NULL,
    mount TEXT NOT NULL,
    PRIMARY KEY (folder, file)
);
