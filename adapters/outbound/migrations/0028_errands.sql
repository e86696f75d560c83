-- What people without an account were asked by a link: ids and days, nothing about anybody.
CREATE TABLE trettio.errands (
    errand_id uuid PRIMARY KEY,
    controller text NOT NULL,
    case_id uuid NOT NULL,
    request_id uuid NOT NULL,
    system text NOT NULL,
    holder uuid NOT NULL,
    next_on date,
    begun_at timestamptz NOT NULL
);
COMMENT ON COLUMN trettio.errands.holder IS 'Keyed digest of the address; who it is, the profile says';
COMMENT ON COLUMN trettio.errands.next_on IS 'The day on which something is due; none once the errand has ended';
CREATE INDEX ON trettio.errands (request_id);
CREATE INDEX ON trettio.errands (controller, next_on) WHERE next_on IS NOT NULL;
CREATE INDEX ON trettio.errands (holder) WHERE next_on IS NOT NULL;
