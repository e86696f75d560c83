-- Where the log lives, to notice that it came from a backup, and which log a read model followed.

-- The server's own name and the table's: a dump that is restored gets others of both.
ALTER TABLE trettio.incarnation ADD COLUMN place text;
-- Set when a restore was noticed, until what was destroyed since the backup is destroyed again.
ALTER TABLE trettio.incarnation ADD COLUMN restored_at timestamptz;

ALTER TABLE views.positions ADD COLUMN incarnation uuid;
UPDATE views.positions SET incarnation = (SELECT id FROM trettio.incarnation);
ALTER TABLE views.positions ALTER COLUMN incarnation SET NOT NULL;
COMMENT ON COLUMN views.positions.incarnation IS
    'Which history of the log it followed: positions of another mean nothing';
