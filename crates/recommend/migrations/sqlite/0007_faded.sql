-- How many people favoured a title in an hour (since 1970), of acts that `acts` holds no more: what is trending is counted from both.
CREATE TABLE faded_acts (
    hour BIGINT NOT NULL,
    title_id BIGINT NOT NULL,
    people BIGINT NOT NULL,
    PRIMARY KEY (hour, title_id)
);
