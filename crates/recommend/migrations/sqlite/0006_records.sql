-- A model's record outlives its files.
ALTER TABLE models ADD COLUMN is_stored BOOLEAN NOT NULL DEFAULT TRUE;
