-- Rotation of master keys: which of them still wrap something, which recovery sheets were confirmed.

CREATE INDEX ON trettio.vault_keys (master_key_id);

CREATE TABLE trettio.confirmed_sheets (
    master_key_id text PRIMARY KEY,
    confirmed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Who is at work, said every few seconds, and which master keys each process knows.
CREATE TABLE trettio.processes (
    id uuid PRIMARY KEY,
    roles text[] NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    master_keys text[] NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
