-- What connected systems authenticate with, and which versions of their token keys are in use.

ALTER TABLE trettio.api_tokens ADD COLUMN system text;
COMMENT ON COLUMN trettio.api_tokens.system IS 'The one connected system that comes with it, of the one controller';

CREATE TABLE trettio.system_keys (
    controller text NOT NULL,
    system text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    until timestamptz,
    PRIMARY KEY (controller, system, version)
);
COMMENT ON TABLE trettio.system_keys IS 'Versions after the first; keys themselves are derived and stored nowhere';
COMMENT ON COLUMN trettio.system_keys.until IS 'Tokens of this version are no longer made after it';
