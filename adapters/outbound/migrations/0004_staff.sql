-- Who the staff ids in events stand for: names for letters, kept apart from the log.
CREATE TABLE trettio.staff (
    id text PRIMARY KEY,
    name text NOT NULL
);
