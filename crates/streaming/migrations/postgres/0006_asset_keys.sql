-- What the keys of an asset's segments come from; NULL: they lie there as they are. Written with the row and gone with it.
ALTER TABLE assets ADD COLUMN segment_key BYTEA;
