-- How far receipts were taken from Kafka, saved with what they brought about; and what was refused.

CREATE TABLE trettio.receipt_positions (
    topic text NOT NULL,
    partition integer NOT NULL,
    topic_id uuid NOT NULL,
    next_offset bigint NOT NULL,
    end_offset bigint NOT NULL DEFAULT 0,
    taken bigint NOT NULL DEFAULT 0,
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    trouble text,
    trouble_since timestamptz,
    PRIMARY KEY (topic, partition),
    -- Whoever writes from an old position, because another reader has the partition now, is refused.
    CONSTRAINT receipt_positions_moved_by_another CHECK (next_offset >= 0)
);
COMMENT ON TABLE trettio.receipt_positions IS 'Up to which message receipts have had their effect';
COMMENT ON COLUMN trettio.receipt_positions.topic_id IS 'Kafka''s own id of the topic: one that was made anew begins at its beginning';
COMMENT ON COLUMN trettio.receipt_positions.end_offset IS 'Where the partition ended when last looked at';

CREATE TABLE trettio.refused_receipts (
    topic text NOT NULL,
    partition integer NOT NULL,
    topic_id uuid NOT NULL,
    message_offset bigint NOT NULL,
    refused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason text NOT NULL,
    controller text,
    system text,
    instruction uuid,
    PRIMARY KEY (topic, partition, topic_id, message_offset)
);
COMMENT ON TABLE trettio.refused_receipts IS 'Receipts that had no effect, and why; what they said is not kept';
COMMENT ON COLUMN trettio.refused_receipts.reason IS 'A code: malformed, unknown, foreign, senseless, lost, failed';
COMMENT ON COLUMN trettio.refused_receipts.system IS 'Whose it is by the instruction, where that is known';
