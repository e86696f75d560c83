"""What became of a request, as a letter reports it: one line per category, system and outcome."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from domain.fulfilment import Fulfilment, SystemStatus
from domain.grounds import ground
from domain.policy import Profile
from domain.redaction import Redaction
from domain.request import DataSubjectRequest
from domain.values import FoundRecord, RecordDecision, RecordOutcome, SystemOutcome
from domain.vocabulary import Decision, Outcome, Right

COVERED_BY = "GDPR Art. 15(4)"


def system_outcomes(
    request: DataSubjectRequest,
    fulfilment: Fulfilment,
    profile: Profile,
    redaction: Redaction | None = None,
) -> tuple[SystemOutcome, ...]:
    """What a letter reports: alike outcomes of one category in one system are one line."""
    lines: dict[SystemOutcome, int] = {}
    own = request.own_records
    if request.right is Right.ERASURE:
        treated = fulfilment.outcomes
        kept = {
            (found.system, found.kind)
            for found in own
            if request.decisions[found.record_id].decision is Decision.KEEP
        }
        for found in own:
            decision = request.decisions[found.record_id]
            state = fulfilment.systems[found.system]
            finished = state.status is SystemStatus.DONE and state.not_before is not None
            line = _erasure_line(
                found, decision, treated.get(found.record_id), vendor_has_finished=finished
            )
            # What is kept on purpose has a line of its own, with its law and its last day.
            unsaid = tuple(r for r in line.residuals if (found.system, r.what) not in kept)
            for reason in _each_reason(replace(line, residuals=unsaid), decision):
                lines[reason] = lines.get(reason, 0) + 1
    elif request.right is not Right.ACCESS:
        holdings = {system.id: system.holdings for system in profile.systems}
        for system, outcome in fulfilment.done_as.items():
            for category in dict.fromkeys(h.category for h in holdings.get(system, ())):
                lines[SystemOutcome(system, category, outcome or Outcome.MANUAL, 0)] = 0
    else:
        for found in own:
            line = SystemOutcome(found.system, found.category, Outcome.EXPORTED, 0)
            lines[line] = lines.get(line, 0) + 1
            for covered in _covered(found, redaction):
                lines[covered] = lines.get(covered, 0) + 1
    told = tuple(replace(line, count=count) for line, count in lines.items())
    return told or tuple(_nothing(request, fulfilment, profile))


def _covered(found: FoundRecord, redaction: Redaction | None) -> Iterator[SystemOutcome]:
    """What a person has covered in a record: a line for each reason (Art. 12(4), 15(4))."""
    passages = redaction.of(found) if redaction else ()
    for reason in dict.fromkeys(passage.reason for passage in passages):
        yield SystemOutcome(
            found.system,
            found.category,
            Outcome.COVERED,
            0,
            explanation=reason.value,
            law=COVERED_BY,
        )


def _nothing(
    request: DataSubjectRequest, fulfilment: Fulfilment, profile: Profile
) -> Iterator[SystemOutcome]:
    """That nothing is held is an answer too (Art. 15(1)): it names what was searched."""
    searched = [
        SystemOutcome(system.id, category, Outcome.NOT_FOUND, 0)
        for system in profile.systems
        if system.id in fulfilment.systems and request.right in {Right.ACCESS, Right.ERASURE}
        for category in dict.fromkeys(holding.category for holding in system.holdings)
    ]
    yield from searched
    if not searched:
        by_hand = not request.right.acts_at_once
        yield SystemOutcome("", "", Outcome.MANUAL if by_hand else Outcome.NOT_FOUND, 0)


def _each_reason(line: SystemOutcome, decision: RecordDecision) -> Iterator[SystemOutcome]:
    """A line for each reason why something stays: its law, its last day and its fields differ."""
    if line.outcome is not Outcome.KEPT or len(decision.kept) < 2:
        yield line
        return
    for number, part in enumerate(decision.kept):
        yield replace(
            line,
            ground=part.ground,
            law=part.law,
            until=part.until,
            keep_fields=part.keep_fields,
            residuals=line.residuals if number == 0 else (),
        )


def _erasure_line(
    found: FoundRecord,
    decision: RecordDecision,
    treated: RecordOutcome | None,
    *,
    vendor_has_finished: bool,
) -> SystemOutcome:
    told = {
        Decision.KEEP: Outcome.KEPT,
        Decision.BLOCK_AND_REFER: Outcome.BLOCKED_ARCHIVE,
        Decision.REFER: Outcome.REFERRED,
    }.get(decision.decision)
    outcome = told or (treated.outcome if treated else Outcome.ERASED)
    if outcome is Outcome.MANUAL:  # erased from a list, and a fresh export has shown it
        outcome = Outcome.ERASED
    if outcome is Outcome.PENDING_AT_VENDOR and vendor_has_finished:  # and was read back since
        outcome = Outcome.ERASED
    if treated is not None and told is None and treated.ground:
        return SystemOutcome(
            system=found.system,
            category=found.category,
            outcome=outcome,
            count=0,
            ground=treated.ground,
            law=ground(treated.ground).law,
            until=treated.until,
            note=treated.note,
        )
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
