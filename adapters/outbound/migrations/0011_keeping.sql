-- What is kept, and what was destroyed: held records, proofs of destruction, suppressions.

-- Which holds name which record of a system, by a keyed token. It goes with the hold's compartment.
CREATE TABLE trettio.held_records (
    hold_id uuid NOT NULL,
    controller text NOT NULL,
    token bytea NOT NULL,
    case_id uuid NOT NULL,
    key_id uuid NOT NULL REFERENCES trettio.vault_keys ON DELETE CASCADE,
    PRIMARY KEY (hold_id, token)
);
CREATE INDEX ON trettio.held_records (controller, token);
CREATE INDEX ON trettio.held_records (case_id);
CREATE INDEX ON trettio.held_records (key_id);

-- That a compartment was destroyed, with how much in it: ids and numbers, nothing of its content.
CREATE TABLE trettio.destructions (
    key_id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    compartment text NOT NULL,
    master_key_id text NOT NULL,
    items integer NOT NULL,
    destroyed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON trettio.destructions (case_id);

-- Who must not be written to, by a keyed token. No case's end ends it; a person lifts it.
CREATE TABLE trettio.suppressions (
    controller text NOT NULL,
    token bytea NOT NULL,
    key_version integer NOT NULL,
    request_id uuid NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    again integer NOT NULL DEFAULT 0,
    again_at timestamptz,
    lifted_at timestamptz,
    lifted_by text,
    lifted_because text,
    PRIMARY KEY (controller, token)
);
