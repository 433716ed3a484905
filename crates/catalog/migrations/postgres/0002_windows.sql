-- What is still to come: a title appears to viewers, goes, or first the one and then the other.
CREATE TABLE title_windows (
    title BIGINT NOT NULL PRIMARY KEY,
    publish_at BIGINT,
    unpublish_at BIGINT
);
CREATE INDEX title_windows_due ON title_windows ((COALESCE(publish_at, unpublish_at)));
