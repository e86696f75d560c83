-- What the columns of a system's exports mean, said once at the desk; headings are nobody's data.
CREATE TABLE trettio.export_columns (
    controller text NOT NULL,
    system text NOT NULL,
    options jsonb NOT NULL,
    said_by text NOT NULL,
    said_at timestamptz NOT NULL,
    PRIMARY KEY (controller, system)
);
