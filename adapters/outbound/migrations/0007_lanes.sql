-- How each system answers, shared by all workers; and letters get a lane of their own.

-- One row per lane that ever failed: one system of one controller, or its letters.
CREATE TABLE trettio.lanes (
    lane text PRIMARY KEY,
    controller text NOT NULL,
    system text,
    failures integer NOT NULL DEFAULT 0,
    failed text[] NOT NULL DEFAULT '{}',
    reason text NOT NULL,
    failing_since timestamptz,
    suspended_at timestamptz,
    pauses integer NOT NULL DEFAULT 0,
    probe_at timestamptz,
    answered_at timestamptz,
    failures_ever bigint NOT NULL DEFAULT 0,
    suspensions_ever bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE trettio.lanes IS 'How each connected system answers; none here means: without fail';
COMMENT ON COLUMN trettio.lanes.system IS 'The system; none means the mail relay';
COMMENT ON COLUMN trettio.lanes.failures IS 'How often in a row it has failed';
COMMENT ON COLUMN trettio.lanes.failed IS 'Keys of the tasks with which it failed, the first few';
COMMENT ON COLUMN trettio.lanes.probe_at IS 'When one task may find out whether it answers again';

-- A relay that is away must not keep answers and destruction waiting.
ALTER TABLE trettio.tasks ALTER COLUMN lane SET EXPRESSION AS (
    controller || '/' || coalesce(system, CASE kind WHEN 'send-letter' THEN ':mail' ELSE '' END)
);

CREATE VIEW views.systems_failing AS
    SELECT l.controller, l.system, l.failures, l.failing_since, l.suspended_at, l.probe_at, l.reason,
        l.answered_at, l.failures_ever, l.suspensions_ever,
        (SELECT count(*) FROM trettio.tasks t
         WHERE t.lane = l.lane AND t.done_at IS NULL AND t.parked_at IS NULL) AS tasks_waiting
    FROM trettio.lanes l;
COMMENT ON VIEW views.systems_failing IS
    'One row per connected system (none: the mail relay) that ever failed, and how it is now';
COMMENT ON COLUMN views.systems_failing.controller IS 'The controller, by the id of its profile';
COMMENT ON COLUMN views.systems_failing.system IS
    'The system, by its id in the profile; none means the mail relay';
COMMENT ON COLUMN views.systems_failing.failures IS 'How often in a row it has failed; 0 means it answers';
COMMENT ON COLUMN views.systems_failing.failing_since IS 'When it began to fail';
COMMENT ON COLUMN views.systems_failing.suspended_at IS 'Since when only probes are sent to it';
COMMENT ON COLUMN views.systems_failing.probe_at IS 'When the next probe may be sent';
COMMENT ON COLUMN views.systems_failing.reason IS 'Why it failed last, as a path template and a status';
COMMENT ON COLUMN views.systems_failing.answered_at IS 'When it answered again';
COMMENT ON COLUMN views.systems_failing.failures_ever IS 'How often it ever failed';
COMMENT ON COLUMN views.systems_failing.suspensions_ever IS 'How often it was ever suspended';
COMMENT ON COLUMN views.systems_failing.tasks_waiting IS 'How many tasks wait for it, or are in hand';
