-- Who may do what: roles per controller, sign-in by password and by a provider, and sessions.

ALTER TABLE trettio.staff ADD COLUMN deactivated_at timestamptz;

-- A row is never taken away: who held which role on a day is part of the account that is owed.
CREATE TABLE trettio.grants (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    staff_id text NOT NULL,
    role text NOT NULL,
    controller text,
    system text,
    until timestamptz,
    granted_by text NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    revoked_by text,
    revoked_at timestamptz
);
COMMENT ON COLUMN trettio.grants.controller IS 'None named means all of this installation';
CREATE UNIQUE INDEX grants_held_once ON trettio.grants
    (staff_id, role, coalesce(controller, ''), coalesce(system, '')) WHERE revoked_at IS NULL;

-- Local accounts; the second factor is sealed with a key of the vault.
CREATE TABLE trettio.accounts (
    staff_id text PRIMARY KEY,
    login text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    second_factor bytea NOT NULL,
    last_step bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    password_changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN trettio.accounts.last_step IS 'The newest time step whose code was used: none is used twice';

CREATE TABLE trettio.recovery_codes (
    staff_id text NOT NULL REFERENCES trettio.accounts ON DELETE CASCADE,
    code_hash bytea NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (staff_id, code_hash)
);

CREATE TABLE trettio.invitations (
    secret_hash bytea PRIMARY KEY,
    staff_id text NOT NULL,
    second_factor bytea NOT NULL,
    invited_by text NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON trettio.invitations (staff_id);

-- Sign-ins that failed lately, by keyed digest of what was tried and of where it came from.
CREATE TABLE trettio.sign_in_failures (
    about bytea NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON trettio.sign_in_failures (about, failed_at);
CREATE INDEX ON trettio.sign_in_failures (failed_at);

-- Whom a provider means by its own words.
CREATE TABLE trettio.staff_identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    staff_id text NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (issuer, subject)
);

-- Who set out for the provider and is expected back, once.
CREATE TABLE trettio.sign_in_attempts (
    digest bytea PRIMARY KEY,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX ON trettio.sign_in_attempts (expires_at);

CREATE TABLE trettio.sessions (
    secret_hash bytea PRIMARY KEY,
    id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    staff_id text NOT NULL,
    way text NOT NULL,
    token_hash bytea,
    grants jsonb NOT NULL DEFAULT '[]',
    device text NOT NULL DEFAULT '',
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ends_at timestamptz NOT NULL
);
CREATE INDEX ON trettio.sessions (staff_id);
CREATE INDEX ON trettio.sessions (ends_at);
COMMENT ON COLUMN trettio.sessions.token_hash IS 'The token it was begun with: it ends with that one';
COMMENT ON COLUMN trettio.sessions.grants IS 'Roles that the provider vouched for when it began';
