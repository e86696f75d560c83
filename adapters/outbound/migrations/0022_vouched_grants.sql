-- Who works where is known of those too whose roles come from the provider, and who are signed out.

ALTER TABLE trettio.staff_identities ADD COLUMN grants jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN trettio.staff_identities.grants IS 'Roles that the provider vouched for the last time; nobody is let in by them';

UPDATE trettio.staff_identities i SET grants = s.grants
FROM (
    SELECT DISTINCT ON (staff_id) staff_id, grants FROM trettio.sessions
    WHERE way = 'provider' ORDER BY staff_id, began_at DESC
) s
WHERE s.staff_id = i.staff_id;
