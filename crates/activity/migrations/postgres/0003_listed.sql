-- Whose lists a title is on: for the day that it is deleted. Holds what is on lists only, so nothing else becomes slower by it.
CREATE INDEX states_listed ON states (title_id, profile_id) WHERE listed_at IS NOT NULL;
