-- What commands over HTTP need: a state they may insist on, and other people's numbers of a case.

-- Stops a transaction unless these aggregates are at these versions (0: not begun yet).
CREATE FUNCTION trettio.require_versions(ids uuid[], versions bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM unnest(ids, versions) AS expected (id, version)
        WHERE expected.version <> coalesce(
            (SELECT max(originator_version) FROM trettio.log WHERE originator_id = expected.id), 0)
    ) THEN
        RAISE check_violation
            USING CONSTRAINT = 'state_as_expected', MESSAGE = 'the state is another one by now';
    END IF;
END $$;

-- The number that a controller's own system gave a case: sealed in the vault, found by a token.
CREATE TABLE trettio.external_numbers (
    controller text NOT NULL,
    token text NOT NULL,
    case_id uuid NOT NULL,
    key_id uuid NOT NULL REFERENCES trettio.vault_keys ON DELETE CASCADE,
    CONSTRAINT external_number_used_once PRIMARY KEY (controller, token)
);
CREATE INDEX ON trettio.external_numbers (key_id);
