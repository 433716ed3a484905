-- Video files of folders as they were when they were last brought in; folder and file are digests of their paths.
CREATE TABLE library_files (
    folder TEXT NOT NULL,
    file TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    modified_ms BIGINT NOT NULL,
    PRIMARY KEY (folder, file)
);
