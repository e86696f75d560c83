-- How often something was done lately: by whom only as a keyed digest, and only for a day.

CREATE TABLE trettio.limits (
    token bytea NOT NULL,
    begins_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    times integer NOT NULL,
    PRIMARY KEY (token, begins_at)
);
CREATE INDEX ON trettio.limits (ends_at);
