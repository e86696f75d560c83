"""What of it a person wants erased, and on which grounds of Art. 17(1): the whole, or a part.

Whoever names no part wants everything erased that can be. A ground is heard where it is named; the
law examines every other as well, and a policy narrower than the law never wins (MU-12).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.decisions import Kept, Verdict
from domain.errors import DomainError
from domain.personal import code
from domain.staff import named
from domain.values import FoundRecord, WishedErasure
from domain.vocabulary import Decision, ErasureGround

NOT_ASKED = "not_asked"


class ErasureWish(Aggregate):
    TOPIC = "erasure-wish"

    # Events

    class Event(Aggregate.Event):
        pass

    class Said(Event, AggregateCreated):
        TOPIC = "erasure-wish.said"
        request_id: UUID
        case_id: UUID
        controller: str
        parts: tuple[WishedErasure, ...]
        by: str

    class SaidAnew(Event):
        TOPIC = "erasure-wish.said-anew"
        parts: tuple[WishedErasure, ...]
        by: str

        def apply(self, aggregate: ErasureWish) -> None:
            aggregate.parts = self.parts
            aggregate.confirmed = None

    class AskedToConfirm(Event):
        """The person is asked to look at what goes and what stays before it is done."""

        TOPIC = "erasure-wish.asked-to-confirm"
        by: str

        def apply(self, aggregate: ErasureWish) -> None:
            aggregate.asked_to_confirm_at = self.timestamp

    class Confirmed(Event):
        """The person has seen what goes and what stays, and wants it so."""

        TOPIC = "erasure-wish.confirmed"
        digest: str

        def apply(self, aggregate: ErasureWish) -> None:
            aggregate.confirmed = self.digest

    # State

    @event(Said)
    def __init__(
        self,
        request_id: UUID,
        case_id: UUID,
        controller: str,
        parts: tuple[WishedErasure, ...],
        by: str,
        timestamp: datetime,
    ) -> None:
        self.said_at = timestamp
        self.request_id, self.case_id, self.controller = request_id, case_id, controller
        self.parts, self.by = parts, by
        self.asked_to_confirm_at: datetime | None = None
        self.confirmed: str | None = None

    @staticmethod
    def create_id(request_id: UUID) -> UUID:
        return erasure_wish_id(request_id)

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        _require_sayable(facts["parts"], facts["by"])

    def about(self, found: FoundRecord) -> tuple[WishedErasure, ...]:
        """The parts of the wish that a record is meant by."""
        return tuple(
            part
            for part in self.parts
            if part.record_id in (None, found.record_id) and part.category in ("", found.category)
        )

    # Commands

    def say_anew(self, *, parts: tuple[WishedErasure, ...], by: str, at: datetime) -> None:
        """The person has thought again; what was said before stays in the log."""
        _require_sayable(parts, by)
        if parts != self.parts:
            self.trigger_event(self.SaidAnew, parts=parts, by=by, timestamp=at)

    def ask_to_confirm(self, *, by: str, at: datetime) -> None:
        if self.asked_to_confirm_at is None:
            self.trigger_event(self.AskedToConfirm, by=named(by), timestamp=at)

    def confirm_table(self, *, digest: str, at: datetime) -> None:
        """`digest` is that of what was shown; another one takes another confirmation."""
        if self.confirmed != digest:
            self.trigger_event(self.Confirmed, digest=code(digest), timestamp=at)


def erasure_wish_id(request_id: UUID) -> UUID:
    return uuid5(request_id, "erasure-wish")


def grounds_of(parts: Iterable[WishedErasure]) -> tuple[ErasureGround, ...]:
    """Every ground that is named, in the order of the law; the first letter where none is."""
    named_ones = {ground for part in parts for ground in part.grounds}
    return tuple(g for g in ErasureGround if g in named_ones) or (ErasureGround.NO_LONGER_NEEDED,)


def fields_of(parts: Iterable[WishedErasure]) -> tuple[str, ...]:
    """The fields that are meant; none where some part means the whole record."""
    wished = tuple(parts)
    if any(not part.fields for part in wished):
        return ()
    return tuple(dict.fromkeys(name for part in wished for name in part.fields))


def not_asked() -> Verdict:
    """What nobody wants erased stays as it is, and nothing has to be explained about it."""
    return Verdict(Decision.LEAVE, NOT_ASKED)


def best(verdicts: Sequence[Verdict]) -> Verdict:
    """Of what several grounds lead to, the one by which least stays; the first of equals."""
    return min(verdicts, key=lambda verdict: len(verdict.kept))


def narrowed(verdict: Verdict, held: Sequence[str], wished: Sequence[str]) -> Verdict:
    """A verdict about a whole record, for some of its fields; the others are not touched."""
    asked = tuple(name for name in held if name in wished)
    if not asked:
        return not_asked()
    if verdict.decision in {Decision.REFER, Decision.BLOCK_AND_REFER}:
        return replace(verdict, asked=asked)
    kept = tuple(part for part in (_within(one, asked) for one in verdict.kept) if part.fields)
    stays = {name for part in kept for name in part.fields}
    goes = tuple(name for name in asked if name not in stays)
    return replace(
        verdict,
        decision=Decision.KEEP if kept else Decision.ERASE,
        kept=kept,
        asked=asked,
        survive=tuple(name for name in held if name not in goes) if goes else (),
    )


def _within(kept: Kept, asked: tuple[str, ...]) -> Kept:
    fields = tuple(name for name in asked if name in kept.fields) if kept.fields else asked
    return replace(kept, fields=fields)


def _require_sayable(parts: tuple[WishedErasure, ...], by: str) -> None:
    named(by)
    if not parts:
        raise DomainError("say what is to be erased, or leave the wish as it is: everything")
    for part in parts:
        for name in part.fields:
            code(name)
