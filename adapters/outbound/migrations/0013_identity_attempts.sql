-- Who set out for an identity provider and is expected back, once. Only digests: the words that
-- tell an attempt are made from a secret that the person's browser keeps.

CREATE TABLE trettio.identity_attempts (
    digest bytea PRIMARY KEY,
    case_id uuid NOT NULL,
    provider text NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX ON trettio.identity_attempts (expires_at);
