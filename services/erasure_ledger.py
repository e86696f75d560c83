"""The erasure ledger: what was erased where, so that no restored backup undoes it (Art. 17, 5(2)).

It holds each system's own tokens of whom was erased there and nothing plain, and outlives the
case's correspondence on purpose: a backup may still bring back whom the case has forgotten
(design, section 7). An entry goes once the system has no backup that is older than it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable
from uuid import UUID, uuid5

from domain.fulfilment import Fulfilment
from domain.hold import Hold
from domain.instruction import TreatedKind
from domain.values import FoundRecord, RecordDecision, RecordOutcome
from domain.vocabulary import Action, Decision, Outcome
from services import dossier
from services.controllers import Controllers
from services.ports import Also, Identifier, Person
from services.system_tokens import SystemTokens, Token

_GONE = frozenset({Outcome.ERASED, Outcome.ANONYMISED, Outcome.RESIDUAL, Outcome.PENDING_AT_VENDOR})


@dataclass(frozen=True, slots=True)
class Erasure:
    """One person's erasure in one system; of the kinds in `mixed` a part was kept, or reduced."""

    id: UUID
    controller: str
    system: str
    request_id: UUID
    erased_at: datetime
    kept_until: datetime
    kinds: tuple[TreatedKind, ...]
    mixed: tuple[str, ...] = ()

    @property
    def plain_kinds(self) -> tuple[TreatedKind, ...]:
        """The kinds that were treated as one, so that no record of them has to be told apart."""
        return tuple(one for one in self.kinds if one.kind not in self.mixed)


class ErasureLedger(Protocol):
    def erased(self, erasure: Erasure, tokens: Collection[Token]) -> tuple[Also, ...]:
        """Note it in the save of the step itself; the same erasure again changes nothing."""
        ...

    def since(self, controller: str, system: str, since: datetime) -> tuple[Erasure, ...]:
        """What was erased there since then, the oldest first."""
        ...

    def tokens(self, erasure_ids: Collection[UUID]) -> Mapping[UUID, tuple[Token, ...]]: ...

    def begun(self, replay_id: UUID, controller: str, system: str, at: datetime) -> Also: ...

    def told(self, replay_id: UUID, instruction_id: UUID) -> Also: ...

    def replays(self, controller: str, system: str | None) -> tuple[UUID, ...]:
        """Every replay, the newest first."""
        ...

    def instructions(self, replay_id: UUID) -> tuple[UUID, ...]: ...

    def purge(self, now: datetime) -> int:
        """Destroy what has come to its end; answers how many entries."""
        ...


@runtime_checkable
class Lists(Protocol):
    """A connected system that can say whom it knows, one after the other."""

    def people(self) -> Iterator[tuple[Identifier, ...]]:
        """Everybody it holds anything about, by what each is found by; some perhaps twice."""
        ...


class Erasures:
    """Makes entries of what has happened, for the save in which it happens."""

    def __init__(
        self, ledger: ErasureLedger, tokens: SystemTokens, controllers: Controllers
    ) -> None:
        self._ledger, self._tokens, self._controllers = ledger, tokens, controllers

    def of_fulfilment(self, fulfilment: Fulfilment, who: Callable[[], Person]) -> list[Also]:
        """What a read-back that is about to be saved has shown to be gone."""
        also: list[Also] = []
        for happened in fulfilment.pending_events:
            if not isinstance(happened, Fulfilment.ReadBack) or happened.unexpected:
                continue
            state = fulfilment.systems[happened.system]
            if state.action is not Action.ERASE or state.treated_at is None:
                continue
            person = who()
            decisions = {one.record_id: one for one in state.decisions}
            kinds, mixed = _kinds(state.found, decisions, state.outcomes)
            treated = {one.record_id for one in state.outcomes if one.outcome in _GONE}
            matched = {one.matched_by for one in state.found if one.record_id in treated}
            also += self._entry(
                uuid5(fulfilment.id, f"erased/{happened.system}/{happened.key}"),
                fulfilment.controller,
                happened.system,
                fulfilment.request_id,
                state.treated_at,
                kinds,
                [
                    one
                    for one in person.identifiers
                    # What nobody proved may be another person's, unless it alone has led there.
                    if one.verified or (one.kind in matched and len(person.all(one.kind)) == 1)
                ],
                mixed=mixed,
            )
        return also

    def of_hold(self, hold: Hold, keys: dossier.SealedKeys, at: datetime) -> list[Also]:
        """What a hold had kept and its release has erased."""
        kinds = {one: key.kind for one, key in zip(hold.records, keys.records, strict=True)}
        said = [(kinds[one.record_id], one) for one in hold.outcomes]
        gone = {kind: one.outcome for kind, one in said if one.outcome in _GONE}
        stayed = {kind for kind, one in said if one.outcome is Outcome.KEPT}
        treated = tuple(
            TreatedKind(
                kind, Decision.ANONYMISE if gone[kind] is Outcome.ANONYMISED else Decision.ERASE
            )
            for kind in sorted(gone)
        )
        return self._entry(
            uuid5(hold.id, "erased"),
            hold.controller,
            hold.system,
            hold.request_id,
            at,
            treated,
            [one for one in keys.identifiers if one.verified],
            mixed=tuple(sorted(stayed & gone.keys())),
        )

    def _entry(
        self,
        entry: UUID,
        controller: str,
        system: str,
        request_id: UUID,
        at: datetime,
        kinds: tuple[TreatedKind, ...],
        identifiers: Iterable[Identifier],
        *,
        mixed: tuple[str, ...],
    ) -> list[Also]:
        tokens = self._tokens.of(controller, system, identifiers)
        if not kinds or not tokens:
            return []
        known = self._controllers.in_force(controller).find_system(system)
        days = known.backups_kept_days if known is not None else None
        until = at + timedelta(days=days or BACKUPS_KEPT_DAYS)
        erasure = Erasure(entry, controller, system, request_id, at, until, kinds, mixed)
        return list(self._ledger.erased(erasure, tokens))


BACKUPS_KEPT_DAYS = 90
"""For how long a system keeps backups where its profile does not say."""


def _kinds(
    found: Iterable[FoundRecord],
    decisions: Mapping[UUID, RecordDecision],
    outcomes: Iterable[RecordOutcome],
) -> tuple[tuple[TreatedKind, ...], tuple[str, ...]]:
    """How each kind was treated, and of which kinds some stayed or were treated otherwise."""
    became = {one.record_id: one.outcome for one in outcomes}
    treated: dict[str, set[TreatedKind]] = {}
    stayed: set[str] = set()
    for one in found:
        decision = decisions.get(one.record_id)
        if decision is not None and became.get(one.record_id) in _GONE:
            how = Decision.ERASE if decision.decision is Decision.ERASE else Decision.ANONYMISE
            treated.setdefault(one.kind, set()).add(
                TreatedKind(one.kind, how, tuple(decision.keep_fields))
            )
        elif one.match.is_strong:
            stayed.add(one.kind)
    mixed = {kind for kind, how in treated.items() if len(how) > 1 or kind in stayed}
    every = (one for how in treated.values() for one in how)
    return tuple(sorted(every, key=lambda one: (one.kind, one.decision.value))), tuple(
        sorted(mixed)
    )
