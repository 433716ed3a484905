-- What is trending is counted from `acts`.
DROP TABLE trending;
