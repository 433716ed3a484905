-- Where the end credits of a packaged video begin: its own chapters say so, or a curator does; NULL: nobody.
ALTER TABLE assets ADD COLUMN credits_ms BIGINT;
