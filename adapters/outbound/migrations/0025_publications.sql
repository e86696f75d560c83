-- How far the log has been published to Kafka, and what stands in the way.

CREATE TABLE trettio.publications (
    name text PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0,
    incarnation uuid NOT NULL,
    published bigint NOT NULL DEFAULT 0,
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    trouble text,
    trouble_position bigint,
    trouble_since timestamptz
);
COMMENT ON TABLE trettio.publications IS 'Up to which event of the log Kafka has everything';
COMMENT ON COLUMN trettio.publications.position IS 'All that is public up to here was acknowledged';
COMMENT ON COLUMN trettio.publications.incarnation IS 'Which history of the log was published';
COMMENT ON COLUMN trettio.publications.published IS 'How many messages were acknowledged so far';
COMMENT ON COLUMN trettio.publications.trouble IS 'Why nothing is published now: a code';
COMMENT ON COLUMN trettio.publications.trouble_position IS 'The event that cannot be published';
