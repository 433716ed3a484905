-- What is cleared regularly is found without reading everything.
CREATE INDEX sessions_expire ON sessions (expires_at);
CREATE INDEX attempts_free ON attempts (free_at);
