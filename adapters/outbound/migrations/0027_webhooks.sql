-- Instructions that are sent to systems: what each signs with, each try, and what came back signed.

CREATE TABLE trettio.webhook_keys (
    id uuid PRIMARY KEY,
    controller text NOT NULL,
    system text NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    ends_at timestamptz
);
CREATE INDEX ON trettio.webhook_keys (controller, system);

-- An address that said it is gone (410) is left alone until somebody says otherwise.
CREATE TABLE trettio.endpoints_gone (
    controller text NOT NULL,
    system text NOT NULL,
    address_digest bytea NOT NULL,
    gone_at timestamptz NOT NULL,
    PRIMARY KEY (controller, system)
);

-- One row for each try, with nothing in it about the person; kept for 100 days.
CREATE TABLE trettio.deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    controller text NOT NULL,
    system text NOT NULL,
    instruction uuid NOT NULL,
    round integer NOT NULL,
    attempt integer NOT NULL,
    tried_at timestamptz NOT NULL,
    code text NOT NULL,
    status integer,
    milliseconds integer NOT NULL,
    next_at timestamptz
);
CREATE INDEX ON trettio.deliveries (controller, system, id DESC);
CREATE INDEX ON trettio.deliveries (instruction, round);
CREATE INDEX ON trettio.deliveries (tried_at);

-- What signed answers were, by the id they came under: the same again has no second effect.
CREATE TABLE trettio.webhooks_received (
    controller text NOT NULL,
    system text NOT NULL,
    message_id text NOT NULL,
    body_digest bytea NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (controller, system, message_id)
);
CREATE INDEX ON trettio.webhooks_received (received_at);
