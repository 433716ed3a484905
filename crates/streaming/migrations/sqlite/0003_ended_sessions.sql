-- The log-in that pressed play; NULL: a version before this one wrote the row.
ALTER TABLE playbacks ADD COLUMN session_id BIGINT;

-- Log-ins that are over: what was signed for them is served no more. Kept for as long as anything signed for them could be good.
CREATE TABLE ended_sessions (
    session_id BIGINT NOT NULL PRIMARY KEY,
    ended_at BIGINT NOT NULL
);
CREATE INDEX ended_sessions_ended ON ended_sessions (ended_at);
