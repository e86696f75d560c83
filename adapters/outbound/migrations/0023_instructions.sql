-- Systems that are told and answer later: the ledger of their instructions, and what they carry.

CREATE TABLE trettio.instructions (
    id uuid PRIMARY KEY,
    controller text NOT NULL,
    system text NOT NULL,
    delivery text NOT NULL,
    purpose text NOT NULL,
    request_id uuid,
    case_id uuid,
    given_at timestamptz NOT NULL,
    told_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    fetched_at timestamptz,
    closed_at timestamptz,
    look_at timestamptz
);
COMMENT ON COLUMN trettio.instructions.closed_at IS 'Answered, or nobody waits any more';
COMMENT ON COLUMN trettio.instructions.look_at IS 'When to look at it again although nothing has come';
CREATE INDEX instructions_open ON trettio.instructions (controller, system, given_at, id) WHERE closed_at IS NULL;
CREATE INDEX instructions_of_requests ON trettio.instructions (request_id) WHERE closed_at IS NULL;
CREATE INDEX instructions_unfetched ON trettio.instructions (case_id) WHERE closed_at IS NULL AND fetched_at IS NULL;
CREATE INDEX instructions_to_look_at ON trettio.instructions (look_at) WHERE closed_at IS NULL;

-- Pseudonymous personal data: they go with the key of the case's correspondence, and with their end.
CREATE TABLE trettio.instruction_tokens (
    instruction_id uuid NOT NULL,
    kind text NOT NULL,
    version integer NOT NULL,
    token bytea NOT NULL,
    ends_at timestamptz NOT NULL,
    key_id uuid REFERENCES trettio.vault_keys ON DELETE CASCADE,
    PRIMARY KEY (instruction_id, kind, version, token)
);
CREATE INDEX ON trettio.instruction_tokens (key_id);
CREATE INDEX ON trettio.instruction_tokens (ends_at);
