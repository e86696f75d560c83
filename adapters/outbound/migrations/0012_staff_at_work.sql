-- Who stands in for whom, who is away, and where each gets the morning's mail.
ALTER TABLE trettio.staff ADD COLUMN email text;
ALTER TABLE trettio.staff ADD COLUMN language text NOT NULL DEFAULT 'en';
ALTER TABLE trettio.staff ADD COLUMN deputy text;
ALTER TABLE trettio.staff ADD COLUMN controllers text[] NOT NULL DEFAULT '{}';
ALTER TABLE trettio.staff ADD COLUMN is_officer boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN trettio.staff.controllers IS 'Whose requests; none named means all';

CREATE TABLE trettio.absences (
    staff_id text NOT NULL,
    first_on date NOT NULL,
    last_on date NOT NULL CHECK (last_on >= first_on),
    PRIMARY KEY (staff_id, first_on)
);
