"""What became of a request, as a letter reports it: one line per category, system and outcome."""

from __future__ import annotations

from dataclasses import replace

from domain.fulfilment import Fulfilment
from domain.policy import Profile
from domain.request import DataSubjectRequest
from domain.values import FoundRecord, RecordDecision, RecordOutcome, SystemOutcome
from domain.vocabulary import Decision, Outcome, Right


def system_outcomes(
    request: DataSubjectRequest, fulfilment: Fulfilment, profile: Profile
) -> tuple[SystemOutcome, ...]:
    """What a letter reports: alike outcomes of one category in one system are one line."""
    lines: dict[SystemOutcome, int] = {}
    own = request.own_records
    if request.right is Right.ERASURE:
        treated = fulfilment.outcomes
        for found in own:
            decision = request.decisions[found.record_id]
            line = _erasure_line(found, decision, treated.get(found.record_id))
            lines[line] = lines.get(line, 0) + 1
    elif request.right is not Right.ACCESS:
        for system, outcome in fulfilment.done_as.items():
            for category in dict.fromkeys(h.category for h in profile.system(system).holdings):
                lines[SystemOutcome(system, category, outcome or Outcome.MANUAL, 0)] = 0
    else:
        for found in own:
            line = SystemOutcome(found.system, found.category, Outcome.EXPORTED, 0)
            lines[line] = lines.get(line, 0) + 1
    return tuple(replace(line, count=count) for line, count in lines.items())


def _erasure_line(
    found: FoundRecord, decision: RecordDecision, treated: RecordOutcome | None
) -> SystemOutcome:
    told = {
        Decision.KEEP: Outcome.KEPT,
        Decision.BLOCK_AND_REFER: Outcome.BLOCKED_ARCHIVE,
        Decision.REFER: Outcome.REFERRED,
    }.get(decision.decision)
    outcome = told or (treated.outcome if treated else Outcome.ERASED)
    if outcome is Outcome.MANUAL:  # erased from a list, and a fresh export has shown it
        outcome = Outcome.ERASED
    return SystemOutcome(
        system=found.system,
        category=found.category,
        outcome=outcome,
        count=0,
        explanation=decision.explanation,
        ground=decision.ground,
        law=decision.law,
        until=decision.until,
        residuals=treated.residuals if treated else (),
        keep_fields=decision.keep_fields,
    )
