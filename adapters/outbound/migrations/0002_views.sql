-- Where read models stand. Their own tables are made, and made again, from `projections/`.

-- A read model is filled here while it is rebuilt, and then takes the place of the old one.
CREATE SCHEMA views_rebuild;
COMMENT ON SCHEMA views_rebuild IS 'Read models while they are being rebuilt; not for reading';

CREATE TABLE views.positions (
    view text PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0,
    definition text NOT NULL,
    tables text[] NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE views.positions IS 'Up to which event of the log each read model is';
COMMENT ON COLUMN views.positions.view IS 'Name of the read model';
COMMENT ON COLUMN views.positions.position IS 'The last event that is in its rows';
COMMENT ON COLUMN views.positions.definition IS 'Digest of the definition that its rows follow';
COMMENT ON COLUMN views.positions.tables IS 'Its tables in this schema';
COMMENT ON COLUMN views.positions.updated_at IS 'When its rows changed last';

CREATE TABLE views.parked (
    view text NOT NULL,
    aggregate_id uuid NOT NULL,
    position bigint NOT NULL,
    topic text NOT NULL,
    reason text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (view, aggregate_id)
);
COMMENT ON TABLE views.parked IS
    'Aggregates that a read model has not followed since an event it could not take';
COMMENT ON COLUMN views.parked.view IS 'Name of the read model';
COMMENT ON COLUMN views.parked.aggregate_id IS 'The aggregate: a case, a request, a fulfilment, …';
COMMENT ON COLUMN views.parked.position IS 'Position of the first event that was left out';
COMMENT ON COLUMN views.parked.topic IS 'What kind of event that is';
COMMENT ON COLUMN views.parked.reason IS 'What kind of error it caused';
COMMENT ON COLUMN views.parked.parked_at IS 'When it was parked';
