-- From where to where the opening of a packaged video lasts: its own chapters say so, or a curator does; NULL: nobody.
ALTER TABLE assets ADD COLUMN intro_from_ms BIGINT;
ALTER TABLE assets ADD COLUMN intro_to_ms BIGINT;
