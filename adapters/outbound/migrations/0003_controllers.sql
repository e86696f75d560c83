-- Which controllers this installation serves; their profiles are in the log.
CREATE TABLE trettio.controllers (
    name text PRIMARY KEY,
    first_adopted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
