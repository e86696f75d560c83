-- The evidence chain: how far the log is folded, the link of every event, and what was signed of it.

CREATE TABLE trettio.chain (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    position bigint NOT NULL DEFAULT 0,
    head bytea NOT NULL,
    incarnation uuid,
    stopped text,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN trettio.chain.stopped IS 'Why it stands still and waits for an operator';
INSERT INTO trettio.chain (head) VALUES (sha256('trettio evidence chain 1'));

-- Per link eight bytes of position and 32 of digest; no row reaches past a statement.
CREATE TABLE trettio.chain_links (
    upto bigint PRIMARY KEY,
    after bigint NOT NULL,
    links bytea NOT NULL
);
ALTER TABLE trettio.chain_links ALTER COLUMN links SET STORAGE EXTERNAL; -- digests do not compress

-- The same lines as in the file outside the database.
CREATE TABLE trettio.statements (
    number bigint PRIMARY KEY,
    kind text NOT NULL,
    position bigint NOT NULL,
    line text NOT NULL
);
CREATE INDEX ON trettio.statements (position);

CREATE FUNCTION trettio.refuse_change_of_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the evidence chain is only ever appended to';
END $$;
CREATE TRIGGER links_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON trettio.chain_links
    FOR EACH STATEMENT EXECUTE FUNCTION trettio.refuse_change_of_evidence();
CREATE TRIGGER statements_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON trettio.statements
    FOR EACH STATEMENT EXECUTE FUNCTION trettio.refuse_change_of_evidence();
