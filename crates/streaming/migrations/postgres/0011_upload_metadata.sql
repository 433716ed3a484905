-- What a client said of its upload (tus: Upload-Metadata), to be told again as it was said.
ALTER TABLE uploads ADD COLUMN metadata TEXT NOT NULL DEFAULT '';
