"""Between the messages and the services: what an instruction says, and what an answer means."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from adapters.contract.messages import (
    Answer,
    Claim,
    CorrectionTold,
    FoundRecord,
    FullAnswer,
    IdentifierTold,
    InstructionData,
    KindToTreat,
    RecordTold,
    ToTreat,
    Treated,
)
from adapters.contract.messages import Token as TokenTold
from domain.instruction import Instruction
from services import instructing
from services.ports import Residual, Result
from services.receipts_of_systems import FoundThere, Receipt
from services.system_tokens import Token


def data_of(instruction: Instruction, tokens: Iterable[Token]) -> InstructionData:
    """What a system is told, by whichever way: nothing that names a person."""
    return InstructionData(
        instruction=instruction.id,
        controller=instruction.controller,
        system=instruction.system,
        verb=instruction.verb,
        purpose=instruction.purpose,
        request=instruction.request_id,
        right=instruction.right,
        due=instruction.due_on,
        ends_at=instruction.ends_at,
        erased_before=instruction.erased_before,
        tokens=tuple(
            TokenTold(kind=one.kind, version=one.version, token=one.value) for one in tokens
        ),
        records=tuple(
            ToTreat(
                record=one.record_id,
                kind=one.kind,
                decision=one.decision,
                keep_fields=one.keep_fields,
            )
            for one in instruction.records
        ),
        kinds=tuple(
            KindToTreat(kind=one.kind, decision=one.decision, keep_fields=one.keep_fields)
            for one in instruction.kinds
        ),
        claim=f"/v1/instructions/{instruction.id}/claim",
    )


def claim_of(claim: instructing.Claim) -> Claim:
    """Whom it is about, for the system alone."""
    instruction = claim.instruction
    return Claim(
        instruction=instruction.id,
        controller=instruction.controller,
        system=instruction.system,
        verb=instruction.verb,
        purpose=instruction.purpose,
        due=instruction.due_on,
        ends_at=instruction.ends_at,
        erased_before=instruction.erased_before,
        identifiers=tuple(
            IdentifierTold(kind=one.kind, value=one.value, verified=one.verified)
            for one in claim.person.identifiers
            if one.value.strip()
        ),
        records=tuple(
            RecordTold(
                record=one.instructed.record_id,
                key=one.key,
                kind=one.instructed.kind,
                decision=one.instructed.decision,
                keep_fields=one.instructed.keep_fields,
            )
            for one in claim.records
        ),
        corrections=tuple(
            CorrectionTold(
                key=one.key, kind=one.kind, fields=dict(one.fields), statement=one.statement
            )
            for one in claim.corrections
        ),
    )


def receipt_of(answer: Answer, instruction: UUID) -> Receipt:
    """What an answer means to the services; contents only where its door takes any."""
    found = answer.found if isinstance(answer, FullAnswer) else None
    return Receipt(
        id=answer.receipt,
        instruction=instruction,
        outcome=answer.outcome,
        found=tuple(map(_found, found)) if found is not None else None,
        records={one.record: _result(one) for one in answer.records},
        problem=answer.reason or "",
        retry_after=timedelta(seconds=answer.retry_after) if answer.retry_after else None,
    )


def _found(one: FoundRecord) -> FoundThere:
    return FoundThere(
        key=one.key,
        kind=one.kind,
        matched_by=one.matched_by,
        linked=one.linked,
        fields=one.fields,
        anchors=one.anchors,
        flags=one.flags,
        recipients=one.recipients,
        masked=one.masked,
    )


def _result(one: Treated) -> Result:
    return Result(
        outcome=one.outcome,
        detail=one.detail or "",
        ground=one.ground,
        until=one.until,
        not_before=one.not_before,
        residuals=tuple(Residual(r.what, r.why, r.until) for r in one.residuals),
    )
