-- What a curator has said of a packaged video's chapters, in order, as JSON; NULL: it has its own, which stand in its index.
ALTER TABLE assets ADD COLUMN chapters TEXT;
