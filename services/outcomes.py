"""What became of a request, as a letter reports it: one line per category, system and outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from domain.balancing import Balancing
from domain.fulfilment import Fulfilment, SystemStatus
from domain.grounds import ground
from domain.policy import Profile
from domain.portability import DirectTransfer, NotPortable, left_out
from domain.rectification import ClaimOutcome, Rectification
from domain.redaction import Redaction
from domain.request import DataSubjectRequest
from domain.restriction import At, Restriction
from domain.values import FoundRecord, RecordDecision, RecordOutcome, SystemOutcome
from domain.vocabulary import CoverReason, Decision, Outcome, Right

COPY_OF_OTHERS = {Right.ACCESS: "GDPR Art. 15(4)", Right.PORTABILITY: "GDPR Art. 20(4)"}
PORTABLE_BY = "GDPR Art. 20(1)"
TRANSFERRED_BY = "GDPR Art. 20(2)"

Decided = Rectification | Restriction | Balancing
"""What has decisions of its own beside those about records."""

RECTIFICATION_LAW = "GDPR Art. 16"
OBJECTION_LAW = "GDPR Art. 21(1)"

_OF_CLAIM = {
    ClaimOutcome.RECTIFIED: Outcome.RECTIFIED,
    ClaimOutcome.COMPLETED: Outcome.COMPLETED,
    ClaimOutcome.ERASED: Outcome.ERASED,
    ClaimOutcome.STATEMENT_ADDED: Outcome.STATEMENT_ADDED,
    ClaimOutcome.REFUSED: Outcome.REFUSED,
}


def system_outcomes(
    request: DataSubjectRequest,
    fulfilment: Fulfilment,
    profile: Profile,
    redaction: Redaction | None = None,
    transfer: DirectTransfer | None = None,
    decided: Decided | None = None,
) -> tuple[SystemOutcome, ...]:
    """What a letter reports: alike outcomes of one category in one system are one line."""
    lines: dict[SystemOutcome, int] = {}
    own = request.own_records
    own_way = tuple(_own_way(decided, profile)) if decided is not None else ()
    if request.right is Right.ERASURE or request.decisions:
        treated = fulfilment.outcomes
        kept = {
            (found.system, found.kind)
            for found in own
            if found.record_id in request.decisions
            and request.decisions[found.record_id].decision is Decision.KEEP
        }
        for found in own:
            if found.record_id not in request.decisions:
                continue  # an objection leaves what a contract needs as it is
            decision = request.decisions[found.record_id]
            if decision.decision is Decision.LEAVE:
                continue
            state = fulfilment.systems[found.system]
            finished = state.status is SystemStatus.DONE and state.not_before is not None
            line = _erasure_line(
                found, decision, treated.get(found.record_id), vendor_has_finished=finished
            )
            # What is kept on purpose has a line of its own, with its law and its last day.
            unsaid = tuple(r for r in line.residuals if (found.system, r.what) not in kept)
            line = replace(line, residuals=unsaid)
            said = _by_field if decision.asked else _each_reason
            for reason in said(line, decision):
                lines[reason] = lines.get(reason, 0) + 1
    elif not request.right.gives_a_copy and not own_way:
        holdings = {system.id: system.holdings for system in profile.systems}
        for system, outcome in fulfilment.done_as.items():
            for category in dict.fromkeys(h.category for h in holdings.get(system, ())):
                lines[SystemOutcome(system, category, outcome or Outcome.MANUAL, 0)] = 0
    elif not own_way:
        for found in own:
            for line in _copied(request, found, profile, redaction):
                lines[line] = lines.get(line, 0) + 1
        lines.update(dict.fromkeys(_transferred(transfer), 0))
    lines.update(dict.fromkeys(own_way, 0))
    told = tuple(replace(line, count=count) for line, count in lines.items())
    return told or tuple(_nothing(request, fulfilment, profile))


def _copied(
    request: DataSubjectRequest,
    found: FoundRecord,
    profile: Profile,
    redaction: Redaction | None,
) -> Iterator[SystemOutcome]:
    """That a record is in the copy, or why not; and what has been covered in it (Art. 12(4))."""
    category = next((c for c in profile.categories if c.id == found.category), None)
    why_not = left_out(profile, category) if category else NotPortable.OTHER_BASIS
    if request.right is Right.PORTABILITY and why_not:
        yield _not_given(found, Outcome.REFUSED, why_not.value, PORTABLE_BY)
        return
    yield SystemOutcome(found.system, found.category, Outcome.EXPORTED, 0)
    passages = redaction.of(found) if redaction else ()
    law = COPY_OF_OTHERS[request.right]
    for reason in dict.fromkeys(passage.reason for passage in passages):
        yield _not_given(found, Outcome.COVERED, reason.value, law)


def hidden_places(
    request: DataSubjectRequest, hidden: Collection[UUID], said: Sequence[SystemOutcome]
) -> Iterator[SystemOutcome]:
    """That places are not in the copy, where a protected identity hides them (Art. 12(4))."""
    why = CoverReason.PROTECTED_IDENTITY.value
    given = {(one.system, one.category) for one in said if one.outcome is Outcome.EXPORTED}
    given -= {(one.system, one.category) for one in said if one.explanation == why}
    lines = Counter(
        _not_given(found, Outcome.COVERED, why, COPY_OF_OTHERS[request.right])
        for found in request.own_records
        if found.record_id in hidden and (found.system, found.category) in given
    )
    for line, count in lines.items():
        yield replace(line, count=count)


def _not_given(found: FoundRecord, outcome: Outcome, why: str, law: str) -> SystemOutcome:
    return SystemOutcome(found.system, found.category, outcome, 0, explanation=why, law=law)


def _transferred(transfer: DirectTransfer | None) -> Iterator[SystemOutcome]:
    """What became of the wish that another controller gets it directly (Art. 20(2))."""
    if transfer is not None and transfer.made_at is not None:
        yield SystemOutcome("", "", Outcome.MANUAL, 0)
    elif transfer is not None:
        yield SystemOutcome(
            "", "", Outcome.REFUSED, 0, explanation="not-feasible", law=TRANSFERRED_BY
        )


_SEARCHED = frozenset({Right.ACCESS, Right.ERASURE, Right.PORTABILITY})


def _own_way(decided: Decided, profile: Profile) -> Iterator[SystemOutcome]:
    """What was decided claim by claim, purpose by purpose, or for every system at once."""
    match decided:
        case Rectification():
            for state in decided.claims.values():
                claim = state.claim
                refused = state.outcome is ClaimOutcome.REFUSED
                yield SystemOutcome(
                    system=claim.system,
                    category=claim.category,
                    outcome=_OF_CLAIM[state.outcome or ClaimOutcome.REFUSED],
                    count=0,
                    ground=state.refused_on,
                    law=None if state.refused_on or not refused else RECTIFICATION_LAW,
                    note=state.reasons,
                    keep_fields=(claim.field,),
                )
        case Restriction():
            for system, where in decided.systems.items():
                told = Outcome.NOT_FOUND if where.at is At.NOT_HELD else Outcome.RESTRICTED
                known = next((one for one in profile.systems if one.id == system), None)
                for category in dict.fromkeys(
                    h.category for h in (known.holdings if known else ())
                ):
                    yield SystemOutcome(system, category, told, 0)
        case Balancing():
            for purpose, one in decided.weighed.items():
                yield SystemOutcome(
                    system="",
                    category="",
                    outcome=Outcome.REFUSED if one.continues else Outcome.STOPPED,
                    count=0,
                    explanation=purpose,
                    law=OBJECTION_LAW if one.continues else None,
                    note=one.grounds,
                )


_ANSWERED_AS = {
    Right.HUMAN_REVIEW: Outcome.REVIEWED,
    Right.INFORMATION_SECURITY: Outcome.ANSWERED,
    Right.TRANSFER_SAFEGUARDS: Outcome.ANSWERED,
}


def _nothing(
    request: DataSubjectRequest, fulfilment: Fulfilment, profile: Profile
) -> Iterator[SystemOutcome]:
    """That nothing is held is an answer too (Art. 15(1)): it names what was searched."""
    searched = [
        SystemOutcome(system.id, category, Outcome.NOT_FOUND, 0)
        for system in profile.systems
        if system.id in fulfilment.systems and request.right in _SEARCHED
        if system.id not in fulfilment.unsearchable
        for category in dict.fromkeys(holding.category for holding in system.holdings)
    ]
    yield from searched
    if not searched and request.right in _ANSWERED_AS:
        yield SystemOutcome("", "", _ANSWERED_AS[request.right], 0)
    elif not searched:
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


def _by_field(line: SystemOutcome, decision: RecordDecision) -> Iterator[SystemOutcome]:
    """Of a record of which only some fields were asked for: what became of which."""
    stays = {name for part in decision.kept for name in part.keep_fields}
    goes = tuple(name for name in decision.asked if name not in stays)
    if line.outcome is not Outcome.KEPT:
        yield replace(line, keep_fields=(), fields=decision.asked)
        return
    if goes:
        yield SystemOutcome(line.system, line.category, Outcome.ERASED, 0, fields=goes)
    for part in decision.kept:
        yield replace(
            line,
            ground=part.ground,
            law=part.law,
            until=part.until,
            keep_fields=(),
            fields=part.keep_fields,
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
