-- Which compartments were destroyed: so that what is gone on purpose can be told from what is lost.
-- The file of destroyed keys outside the database holds the same ids for the day of a restore.
CREATE TABLE trettio.destroyed_keys (
    id uuid, -- unknown where the key was destroyed before this table was there
    case_id uuid NOT NULL,
    compartment text NOT NULL,
    destroyed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON trettio.destroyed_keys (case_id, compartment);

CREATE FUNCTION trettio.remember_destroyed_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trettio.destroyed_keys (id, case_id, compartment)
    VALUES (OLD.id, OLD.case_id, OLD.compartment);
    RETURN NULL;
END $$;

CREATE TRIGGER destroyed_keys_are_remembered AFTER DELETE ON trettio.vault_keys
    FOR EACH ROW EXECUTE FUNCTION trettio.remember_destroyed_key();

INSERT INTO trettio.destroyed_keys (case_id, compartment)
SELECT DISTINCT subject_id, payload ->> 'compartment' FROM trettio.tasks
WHERE kind = 'destroy' AND attempts > 0 AND NOT EXISTS (
    SELECT FROM trettio.vault_keys
    WHERE vault_keys.case_id = tasks.subject_id AND compartment = tasks.payload ->> 'compartment'
);
