-- What waits to be done, counted: for the board, for metrics and for whoever reads `views`.
CREATE VIEW views.tasks_waiting AS
    SELECT controller, system, kind,
        count(*) FILTER (WHERE parked_at IS NULL AND next_at <= clock_timestamp()) AS due,
        count(*) FILTER (WHERE parked_at IS NULL AND next_at > clock_timestamp()) AS later,
        count(parked_at) AS parked,
        min(due_at) FILTER (WHERE parked_at IS NULL AND next_at <= clock_timestamp()) AS oldest_due_at,
        min(parked_at) AS oldest_parked_at
    -- Two parts, each with an index of its own: what is done stays in the table for months.
    FROM (
        SELECT controller, system, kind, next_at, due_at, parked_at FROM trettio.tasks
        WHERE done_at IS NULL AND parked_at IS NULL
        UNION ALL
        SELECT controller, system, kind, next_at, due_at, parked_at FROM trettio.tasks
        WHERE parked_at IS NOT NULL AND done_at IS NULL
    ) waiting
    GROUP BY controller, system, kind;
COMMENT ON VIEW views.tasks_waiting IS
    'One row per kind of work and system: how much of it waits, and how much was given up';
COMMENT ON COLUMN views.tasks_waiting.controller IS 'The controller, by the id of its profile';
COMMENT ON COLUMN views.tasks_waiting.system IS
    'The system it is about, by its id in the profile; none where it is about no system';
COMMENT ON COLUMN views.tasks_waiting.kind IS 'What kind of work it is, as a code';
COMMENT ON COLUMN views.tasks_waiting.due IS 'How many could be done now';
COMMENT ON COLUMN views.tasks_waiting.later IS 'How many are in hand, or not due yet';
COMMENT ON COLUMN views.tasks_waiting.parked IS 'How many were given up and wait for a person';
COMMENT ON COLUMN views.tasks_waiting.oldest_due_at IS 'Since when the oldest of those due is due';
COMMENT ON COLUMN views.tasks_waiting.oldest_parked_at IS 'When the oldest was given up';
