-- The arm of the experiment that a page was made for; NULL where there was none, and on pages from before this column.
ALTER TABLE pages ADD COLUMN arm TEXT;
