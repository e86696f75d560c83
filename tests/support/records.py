"""Found records and letters as events hold them, with nothing behind their references."""

from __future__ import annotations

from uuid import UUID, uuid4

from domain.personal import PersonalRef
from domain.values import FoundRecord, QueuedLetter
from domain.vocabulary import IdentifierKind, LetterKind, Match


def found(match: Match = Match.VERIFIED_IDENTIFIER, *, system: str = "tickets") -> FoundRecord:
    return FoundRecord(
        record_id=uuid4(),
        system=system,
        kind="order",
        category="orders",
        match=match,
        matched_by=IdentifierKind.EMAIL,
        content=PersonalRef(uuid4()),
        digest=uuid4().hex,
    )


def letter(
    *requests: UUID, kind: LetterKind = LetterKind.ANSWER, printed: bool = False
) -> QueuedLetter:
    return QueuedLetter(
        id=uuid4(), kind=kind, text=PersonalRef(uuid4()), requests=requests, printed=printed
    )
