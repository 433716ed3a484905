-- Experiments: how each was set up, as JSON, and whether viewers still wait to be counted (`is_open`).
CREATE TABLE experiments (
    experiment_id BIGINT PRIMARY KEY,
    state TEXT NOT NULL,
    stopped_at BIGINT,
    is_open BOOLEAN NOT NULL,
    setup TEXT NOT NULL
);

-- The one that runs, and the models of its arms, which are kept as long: one row at most.
CREATE TABLE running_experiment (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    experiment_id BIGINT NOT NULL,
    first_model BIGINT NOT NULL,
    second_model BIGINT NOT NULL
);

-- Viewers of open experiments: their arm, the first page they were shown, and whether they are in the sums.
CREATE TABLE experiment_viewers (
    experiment_id BIGINT NOT NULL,
    profile_id BIGINT NOT NULL,
    arm BIGINT NOT NULL,
    first_page BIGINT NOT NULL,
    is_counted BOOLEAN NOT NULL,
    PRIMARY KEY (experiment_id, profile_id)
);
CREATE INDEX experiment_viewers_waiting ON experiment_viewers (experiment_id, is_counted, first_page);

-- What the viewers of each arm did: how many they are, the sum of their values and of the squares.
CREATE TABLE experiment_sums (
    experiment_id BIGINT NOT NULL,
    arm BIGINT NOT NULL,
    metric TEXT NOT NULL,
    viewers BIGINT NOT NULL,
    total DOUBLE PRECISION NOT NULL,
    squares DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (experiment_id, arm, metric)
);
