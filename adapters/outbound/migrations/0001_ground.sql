-- The ground: event log, vault, tasks, and what proves identity and access.

CREATE SCHEMA IF NOT EXISTS trettio;
CREATE SCHEMA IF NOT EXISTS views;
COMMENT ON SCHEMA views IS 'Read models without personal data; rebuilt from trettio.log';

CREATE TABLE trettio.migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    digest text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The event log

CREATE TABLE trettio.log (
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    notification_id bigserial NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT log_one_event_per_version PRIMARY KEY (originator_id, originator_version),
    CONSTRAINT log_one_event_per_position UNIQUE (notification_id)
);

CREATE FUNCTION trettio.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the event log is only ever appended to';
END $$;

CREATE TRIGGER log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON trettio.log
    FOR EACH STATEMENT EXECUTE FUNCTION trettio.refuse_change();

-- Names this history of the log; a restored log that went another way gets a new one.
CREATE TABLE trettio.incarnation (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    began_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO trettio.incarnation DEFAULT VALUES;

-- The vault

-- One random secret, sealed by the master key: match tokens are derived from it, and opening it
-- at start proves that the master key is the right one.
CREATE TABLE trettio.vault_secret (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    master_key_id text NOT NULL,
    wrapped bytea NOT NULL
);

CREATE TABLE trettio.vault_keys (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    compartment text NOT NULL,
    master_key_id text NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (case_id, compartment)
);

-- Rows and tokens go with their key, and none can be added once it has gone.
CREATE TABLE trettio.vault_rows (
    id uuid PRIMARY KEY,
    key_id uuid NOT NULL REFERENCES trettio.vault_keys ON DELETE CASCADE,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON trettio.vault_rows (key_id);
ALTER TABLE trettio.vault_rows ALTER COLUMN sealed SET STORAGE EXTERNAL; -- ciphertext does not compress

CREATE TABLE trettio.match_tokens (
    controller text NOT NULL,
    token bytea NOT NULL,
    case_id uuid NOT NULL,
    key_id uuid NOT NULL REFERENCES trettio.vault_keys ON DELETE CASCADE,
    PRIMARY KEY (controller, token, case_id)
);
CREATE INDEX ON trettio.match_tokens (key_id);

-- Tasks

CREATE TABLE trettio.tasks (
    key text PRIMARY KEY,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    controller text NOT NULL,
    system text,
    payload jsonb NOT NULL,
    due_at timestamptz NOT NULL,
    next_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    leased_by text,
    reason text,
    parked_at timestamptz,
    done_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    lane text NOT NULL GENERATED ALWAYS AS (controller || '/' || coalesce(system, '')) STORED
);
CREATE INDEX tasks_open ON trettio.tasks (lane, next_at) WHERE done_at IS NULL AND parked_at IS NULL;
CREATE INDEX tasks_in_hand ON trettio.tasks (lane, next_at)
    WHERE leased_by IS NOT NULL AND done_at IS NULL;
CREATE INDEX tasks_parked ON trettio.tasks (parked_at) WHERE parked_at IS NOT NULL;
CREATE INDEX ON trettio.tasks (subject_id);

-- Proof of identity and access: only digests, never the secret itself

CREATE TABLE trettio.codes (
    id bigserial PRIMARY KEY,
    subject_id uuid NOT NULL,
    code_hash bytea NOT NULL,
    salt bytea NOT NULL,
    tries_left integer NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON trettio.codes (subject_id, id);

CREATE TABLE trettio.links (
    secret_hash bytea PRIMARY KEY,
    subject_id uuid NOT NULL,
    purpose text NOT NULL,
    expires_at timestamptz NOT NULL,
    withdrawn_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON trettio.links (subject_id);

CREATE TABLE trettio.api_tokens (
    token_hash bytea PRIMARY KEY,
    name text NOT NULL,
    staff_id text NOT NULL,
    scopes text[] NOT NULL,
    controllers text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz
);

CREATE TABLE trettio.idempotency_keys (
    key text NOT NULL,
    scope text NOT NULL,
    request_digest bytea NOT NULL,
    response_status integer,
    response_body jsonb,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT idempotency_keys_used_once PRIMARY KEY (scope, key)
);
CREATE INDEX ON trettio.idempotency_keys (created_at);
