-- What was erased in which system, by that system's own tokens, for as long as it keeps backups.
-- Pseudonymous personal data: it outlives its case on purpose, and goes with its own end.

CREATE TABLE trettio.erasures (
    id uuid PRIMARY KEY,
    controller text NOT NULL,
    system text NOT NULL,
    request_id uuid NOT NULL,
    erased_at timestamptz NOT NULL,
    kept_until timestamptz NOT NULL,
    kinds jsonb NOT NULL,
    mixed text[] NOT NULL
);
COMMENT ON COLUMN trettio.erasures.kinds IS 'The kinds of record that were erased, and how';
COMMENT ON COLUMN trettio.erasures.mixed IS 'The kinds of which a part was kept, or reduced';
CREATE INDEX ON trettio.erasures (controller, system, erased_at, id);
CREATE INDEX ON trettio.erasures (kept_until);

CREATE TABLE trettio.erased_tokens (
    erasure_id uuid NOT NULL REFERENCES trettio.erasures ON DELETE CASCADE,
    kind text NOT NULL,
    version integer NOT NULL,
    token bytea NOT NULL,
    PRIMARY KEY (erasure_id, kind, version, token)
);

CREATE TABLE trettio.replays (
    id uuid PRIMARY KEY,
    controller text NOT NULL,
    system text NOT NULL,
    begun_at timestamptz NOT NULL
);

CREATE TABLE trettio.replay_instructions (
    instruction_id uuid PRIMARY KEY,
    replay_id uuid NOT NULL REFERENCES trettio.replays
);
CREATE INDEX ON trettio.replay_instructions (replay_id);
