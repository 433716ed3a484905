CREATE TABLE accounts (
    id BIGINT NOT NULL PRIMARY KEY,
    -- Normalised: trimmed, lower case.
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    -- PHC string, argon2id.
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    signed_in_at BIGINT
);

CREATE TABLE profiles (
    id BIGINT NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    avatar TEXT NOT NULL,
    kids BOOLEAN NOT NULL,
    maturity_max BIGINT NOT NULL,
    preferences TEXT NOT NULL,
    onboarded BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX profiles_of_account ON profiles (account_id, id);

-- A log-in on one device. Outlives its account by a day, so that its access tokens stay revoked.
CREATE TABLE sessions (
    id BIGINT NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL,
    user_agent TEXT NOT NULL,
    address TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    -- SHA-256 of the refresh token that is good now, and of the one before it.
    token_hash BLOB NOT NULL,
    previous_hash BLOB,
    -- With the token before it, makes the token that is good now: for a client whose reply was lost.
    nonce BLOB,
    rotated_at BIGINT NOT NULL
);
CREATE INDEX sessions_of_account ON sessions (account_id, id);
CREATE INDEX sessions_revoked ON sessions (revoked_at);

-- Keys that access tokens are signed with; the newest signs, all verify.
CREATE TABLE signing_keys (
    id TEXT NOT NULL PRIMARY KEY,
    secret BLOB NOT NULL,
    created_at BIGINT NOT NULL
);

-- Single values: the refresh tokens' secret, the digest of the set-up token, a lock.
CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- How much of a limit is used: the moment at which it would be unused again.
CREATE TABLE attempts (
    key TEXT NOT NULL PRIMARY KEY,
    free_at BIGINT NOT NULL
);
