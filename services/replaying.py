"""Replaying: a system restored from a backup erases again whom it had erased since (Art. 17(1)).

Systems that are told get their own old tokens; of those that are called everybody is listed, the
tokens are made here, and what matches is erased, unless it is newer than the erasure or the law
keeps it. Where neither can be done somebody does it by hand. Safe to repeat, killed at any line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from domain.instruction import Contract, Instruction, InstructionPurpose, Verb
from domain.replay import Replay
from domain.vocabulary import Decision, Outcome
from services.controllers import Controllers
from services.erasure_ledger import Erasure, ErasureLedger, Lists
from services.held import Held
from services.instructing import CLAIM_FOR, Instructions
from services.ports import (
    AwaitsPerson,
    Clock,
    Connector,
    Garbled,
    Identifier,
    NotSetUp,
    Person,
    Record,
    Refused,
    Systems,
    Task,
    Tasks,
    Treatment,
    Vault,
)
from services.register import Register, again_on_conflict
from services.replay_standing import (
    CANNOT_LIST,
    NO_DATES,
    NOT_BY_TOKENS,
    REFUSED,
    SOME_KEPT,
    STILL_THERE,
    Standing,
    standing_of,
)
from services.system_tokens import SystemTokens, Token

REPLAY: Final = "replay"

TOLD = frozenset({Contract.KAFKA, Contract.WEBHOOK, Contract.HTTPS})
"""Who is told with tokens; what is told otherwise needs names, which nobody has any more."""

STAYS = frozenset({Outcome.KEPT, Outcome.RESIDUAL, Outcome.PENDING_AT_VENDOR})
"""What a system may go on showing after an erasure."""

REPLAYED_WITHIN = timedelta(days=3)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Counted:
    """What a replay would do: erasures on record, people listed, erasures matched."""

    erasures: int
    can_list: bool
    looked_at: int = 0
    matched: int = 0


@dataclass(slots=True)
class _Matches:
    """Who of those that a system lists was erased there, by erasure."""

    looked_at: int = 0
    people: dict[UUID, dict[Identifier, None]] = field(default_factory=dict)


class Replays:
    def __init__(
        self,
        register: Register,
        vault: Vault,
        tasks: Tasks,
        controllers: Controllers,
        held: Held,
        instructions: Instructions,
        ledger: ErasureLedger,
        tokens: SystemTokens,
        systems: Systems,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._tasks = register, vault, tasks
        self._controllers, self._held = controllers, held
        self._instructions, self._ledger = instructions, ledger
        self._tokens, self._systems, self._clock = tokens, systems, clock

    # Begun

    def begin(self, controller: str, system: str, *, since: date, by: str, reason: str) -> UUID:
        """Have everything that was erased there since that day erased again."""
        now = self._clock()
        self._controllers.in_force(controller).system(system)
        replay = Replay(
            controller=controller,
            system=system,
            since=since,
            erasures=len(self._erasures(controller, system, since)),
            by=by,
            reason=reason,
            timestamp=now,
        )
        task = Task(
            key=f"{replay.id}/{REPLAY}",
            kind=REPLAY,
            subject_id=replay.id,
            due_at=now,
            controller=controller,
            system=system,
        )
        begun = self._ledger.begun(replay.id, controller, system, now)
        self._register.save_all([replay], [begun, self._tasks.add(task)])
        return replay.id

    def would(self, controller: str, system: str, *, since: date) -> Counted:
        """What it would come to; nothing is changed or told."""
        erasures = self._erasures(controller, system, since)
        if self._contract(controller, system) is not None:
            return Counted(len(erasures), can_list=False)
        connector = self._systems.connector(controller, system)
        if not isinstance(connector, Lists):
            return Counted(len(erasures), can_list=False)
        found = self._matches(controller, system, erasures, connector)
        return Counted(len(erasures), True, found.looked_at, len(found.people))

    def standing(self, controller: str, system: str | None = None) -> tuple[Standing, ...]:
        """Every replay, the newest first."""
        return tuple(map(self._standing, self._ledger.replays(controller, system)))

    def _standing(self, replay_id: UUID) -> Standing:
        told = [self._register.instruction(i) for i in self._ledger.instructions(replay_id)]
        return standing_of(self._register.replay(replay_id), told)

    @again_on_conflict
    def settle(self, replay_id: UUID, *, by: str) -> None:
        """Somebody has repeated by hand what no machine could."""
        standing, now = self._standing(replay_id), self._clock()
        replay = standing.replay
        if standing.waits_for is not None:
            replay.ask_person(reason=standing.waits_for, count=standing.waiting, at=now)
        replay.settle(by=by, at=now)
        self._register.save_all([replay])

    def purge(self) -> int:
        return self._ledger.purge(self._clock())

    # Carried out

    def work(self, task: Task) -> None:
        """Repeat what is not repeated yet; whatever goes wrong for good is a person's."""
        replay = self._register.replay(task.subject_id)
        erasures = self._erasures(replay.controller, replay.system, replay.since)
        contract = self._contract(replay.controller, replay.system)
        try:
            if contract in TOLD:
                self._tell(replay, erasures, contract, task)
            elif contract is not None:
                self._ask_person(replay.id, NOT_BY_TOKENS, len(erasures), task)
            else:
                self._repeat_all(replay, erasures, task)
        except (NotSetUp, Garbled):
            raise
        except (AwaitsPerson, Refused) as error:
            log.warning("replay_needs_person", error=type(error).__name__)
            self._ask_person(replay.id, REFUSED, len(erasures), task)

    def _tell(
        self, replay: Replay, erasures: Sequence[Erasure], contract: Contract, task: Task
    ) -> None:
        tokens = self._ledger.tokens([one.id for one in erasures])
        now = self._clock()
        for one in erasures:
            if one.plain_kinds:
                instruction = _told_again(replay, one, contract, now)
                noted = self._ledger.told(replay.id, instruction.id)
                self._instructions.tell_again(instruction, tokens.get(one.id, ()), noted)
        self._told(replay.id, erasures, task)

    @again_on_conflict
    def _told(self, replay_id: UUID, erasures: Sequence[Erasure], task: Task) -> None:
        now = self._clock()
        replay = self._register.replay(replay_id)
        replay.tell(count=sum(bool(one.plain_kinds) for one in erasures), at=now)
        mixed = sum(bool(one.mixed) for one in erasures)
        if mixed:  # which of a kind the law kept, no token can say
            replay.ask_person(reason=SOME_KEPT, count=mixed, at=now)
        self._register.save_all([replay], [self._tasks.done(task)])

    def _repeat_all(self, replay: Replay, erasures: Sequence[Erasure], task: Task) -> None:
        connector = self._systems.connector(replay.controller, replay.system)
        if not isinstance(connector, Lists):
            self._ask_person(replay.id, CANNOT_LIST, len(erasures), task)
            return
        found = self._matches(replay.controller, replay.system, erasures, connector)
        troubles: Counter[str] = Counter()
        # The newest first: what a later erasure allows needs no earlier one.
        for one in reversed(erasures):
            if one.id not in found.people or one.id in replay.repeated:
                continue
            identifiers = found.people[one.id]
            person = Person(tuple(Identifier(i.kind, i.value, verified=True) for i in identifiers))
            troubles += self._repeat(replay.id, one, connector, person)
        self._finish(replay.id, found.looked_at, troubles, task)

    def _repeat(
        self, replay_id: UUID, erasure: Erasure, connector: Connector, person: Person
    ) -> Counter[str]:
        """Erase one person's records again; answers how many cannot be, and why."""
        erased, spared, kept = 0, 0, 0
        troubles: Counter[str] = Counter()
        undated: set[tuple[str, str]] = set()
        touched: set[tuple[str, str]] = set()
        begun_at = self._clock()
        for record in list(connector.find(person)):
            how = self._how(erasure, record)
            if not record.match.is_strong:
                continue
            if record.since is not None and record.since >= erasure.erased_at:
                spared += 1
            elif how is None:
                kept += 1
            elif record.since is None:
                undated.add((record.kind, record.key))
            else:
                digest = self._vault.digest(replay_id, f"{record.kind}/{record.key}")
                outcome = _erased(connector, person, how, f"{replay_id}/{digest}")
                if outcome in {Outcome.REFUSED, Outcome.MANUAL}:
                    troubles[REFUSED] += 1
                    continue
                kept += outcome is Outcome.KEPT
                erased += outcome not in {Outcome.NOT_FOUND, Outcome.KEPT, Outcome.RESIDUAL}
                if not how.keep_fields and outcome not in STAYS:
                    touched.add((record.kind, record.key))
        if touched:
            again = {(i.kind, i.key) for i in connector.find(person, fresh_after=begun_at)}
            troubles[STILL_THERE] += len(again & touched)
            undated &= again  # what has no date may go with what has
        troubles[NO_DATES] += len(undated)
        if not +troubles:
            self._repeated(replay_id, erasure.id, erased, spared, kept)
        return troubles

    def _how(self, erasure: Erasure, record: Record) -> Treatment | None:
        """As it was treated then; None where it stayed, or a hold stands on all of it now."""
        holds = self._held.on_record(erasure.controller, erasure.system, record.kind, record.key)
        fields: dict[str, None] = {}
        for hold in holds:
            part = self._held.fields(hold, record.kind, record.key)
            if not part:
                return None
            fields |= dict.fromkeys(part)
        ways = [one for one in erasure.kinds if one.kind == record.kind]
        if not ways:
            return None
        for one in ways:
            fields |= dict.fromkeys(one.keep_fields if holds or len(ways) == 1 else ())
        whole = next((one for one in ways if one.decision is Decision.ERASE), None)
        return Treatment(
            key=record.key,
            kind=record.kind,
            anonymise=whole is None or bool(fields),
            keep_fields=tuple(fields),
        )

    @again_on_conflict
    def _repeated(
        self, replay_id: UUID, erasure: UUID, erased: int, spared: int, kept: int
    ) -> None:
        replay = self._register.replay(replay_id)
        replay.repeat(erasure=erasure, erased=erased, spared=spared, kept=kept, at=self._clock())
        self._register.save_all([replay])

    @again_on_conflict
    def _finish(self, replay_id: UUID, looked_at: int, troubles: Counter[str], task: Task) -> None:
        now = self._clock()
        replay = self._register.replay(replay_id)
        worst = next((why for why in (STILL_THERE, REFUSED, NO_DATES) if troubles[why]), None)
        if worst is not None:
            replay.ask_person(reason=worst, count=troubles[worst], at=now)
        else:
            replay.finish(looked_at=looked_at, at=now)
        self._register.save_all([replay], [self._tasks.done(task)])

    @again_on_conflict
    def _ask_person(self, replay_id: UUID, reason: str, count: int, task: Task) -> None:
        now = self._clock()
        replay = self._register.replay(replay_id)
        if count:
            replay.ask_person(reason=reason, count=count, at=now)
        else:
            replay.finish(looked_at=0, at=now)
        self._register.save_all([replay], [self._tasks.done(task)])

    # Matching

    def _matches(
        self, controller: str, system: str, erasures: Iterable[Erasure], connector: Lists
    ) -> _Matches:
        """To the end first: to erase moves pages."""
        wanted: dict[Token, set[UUID]] = {}
        for erasure, tokens in self._ledger.tokens([one.id for one in erasures]).items():
            for one in tokens:
                wanted.setdefault(one, set()).add(erasure)
        versions = sorted({one.version for one in wanted})
        found = _Matches()
        for identifiers in connector.people() if wanted else ():
            found.looked_at += 1
            for identifier in identifiers:
                for token in self._tokens.under(controller, system, identifier, versions):
                    for erasure in wanted.get(token, ()):
                        found.people.setdefault(erasure, {})[identifier] = None
        return found

    def _erasures(self, controller: str, system: str, since: date) -> tuple[Erasure, ...]:
        zone = ZoneInfo(self._controllers.in_force(controller).country.zone)
        return self._ledger.since(controller, system, datetime.combine(since, time(), zone))

    def _contract(self, controller: str, system: str) -> Contract | None:
        connector = self._controllers.in_force(controller).system(system).connector
        return next((one for one in Contract if one.value == connector), None)


def _erased(connector: Connector, person: Person, how: Treatment, key: str) -> Outcome:
    """One record that a system will not erase keeps no other from going."""
    try:
        return connector.erase(person, how, key=key).outcome
    except (NotSetUp, Garbled):
        raise
    except (AwaitsPerson, Refused) as error:
        log.warning("replayed_record_stays", error=type(error).__name__)
        return Outcome.REFUSED


def _told_again(replay: Replay, erasure: Erasure, contract: Contract, now: datetime) -> Instruction:
    return Instruction(
        controller=erasure.controller,
        system=erasure.system,
        delivery=contract,
        verb=Verb.ERASE,
        purpose=InstructionPurpose.REPLAY,
        request_id=None,
        case_id=None,
        right=None,
        key=f"replay/{replay.id}/{erasure.id}",
        due_on=(now + REPLAYED_WITHIN).date(),
        ends_at=now + CLAIM_FOR,
        erased_before=erasure.erased_at,
        records=(),
        kinds=erasure.plain_kinds,
        timestamp=now,
    )
