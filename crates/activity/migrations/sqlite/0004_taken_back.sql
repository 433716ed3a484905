-- A removal is remembered while an import could bring the opinion again: not where there is a newer one, and not of a deleted title.
DELETE FROM removed_ratings WHERE EXISTS (SELECT 1 FROM states s WHERE s.profile_id = removed_ratings.profile_id
    AND s.title_id = removed_ratings.title_id AND s.opinion IS NOT NULL);
CREATE INDEX removed_ratings_title ON removed_ratings (title_id, profile_id);
