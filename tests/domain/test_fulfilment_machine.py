"""A fulfilment under answers that are wrong, doubled, out of order or late."""

from __future__ import annotations

from datetime import timedelta

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.errors import DomainError
from domain.fulfilment import Fulfilment, SystemStatus
from domain.values import FoundRecord, RecordOutcome
from domain.vocabulary import Action, Outcome
from tests.support.past import AT, erase, found, keep, planned, replayed

SYSTEM = st.sampled_from(["shop", "mailing"])
KEY = st.sampled_from(["1", "2", "3"])
BY = st.sampled_from([None, "anna"])
STAYS = {Outcome.KEPT, Outcome.RESIDUAL, Outcome.REFUSED, Outcome.PENDING_AT_VENDOR}


class AnyFulfilment(RuleBasedStateMachine):
    """The model is what really lies in each system; the rule is that done means gone."""

    @initialize()
    def plan(self) -> None:
        self.now = AT
        self.fulfilment = planned(("shop", Action.FIND), ("mailing", Action.FIND))
        self.log = list(self.fulfilment.collect_events())
        self.there: dict[str, tuple[FoundRecord, ...]] = {
            "shop": (found(system="shop"), found(system="shop")),
            "mailing": (found(system="mailing"),),
        }
        self.left = {name: {record.digest for record in self.there[name]} for name in self.there}
        self.ordered: set[str] = set()
        self.seen: set[tuple[str, str]] = set()

    def _try(self, command: str, **facts: object) -> bool:
        before = dict(vars(self.fulfilment))
        self.now += timedelta(minutes=1)
        try:
            getattr(self.fulfilment, command)(at=self.now, **facts)
        except DomainError:
            assert vars(self.fulfilment) == before, f"{command} was refused and changed something"
            return False
        self.log.extend(self.fulfilment.collect_events())
        return True

    def _answered(self, command: str, system: str, key: str, **facts: object) -> bool:
        """Send a receipt, and the same one again: the second must change nothing."""
        if (system, key) in self.seen:
            version = self.fulfilment.version
            self._try(command, system=system, key=key, **facts)
            assert self.fulfilment.version == version, "the same receipt twice changed something"
            return False
        done = self._try(command, system=system, key=key, **facts)
        if key in self.fulfilment.systems[system].answered_keys:
            self.seen.add((system, key))
        return done

    @rule(system=SYSTEM, key=KEY)
    def find(self, system: str, key: str) -> None:
        self._answered("record_found", system, key, found=self.there[system])

    @rule(system=SYSTEM, kept=st.booleans())
    def instruct(self, system: str, kept: bool) -> None:
        records = self.fulfilment.systems[system].found
        decisions = tuple(
            keep(record) if kept and number else erase(record)
            for number, record in enumerate(records)
        )
        if self._try("instruct", system=system, action=Action.ERASE, decisions=decisions):
            self.ordered.add(system)

    @rule(
        system=SYSTEM,
        key=KEY,
        by=BY,
        outcomes=st.lists(
            st.sampled_from([Outcome.ERASED, Outcome.NOT_FOUND, Outcome.PENDING_AT_VENDOR]),
            max_size=3,
        ),
        truly=st.booleans(),
    )
    def erase(
        self, system: str, key: str, by: str | None, outcomes: list[Outcome], truly: bool
    ) -> None:
        state = self.fulfilment.systems[system]
        touched = [d.record_id for d in state.decisions if d.touches_the_system]
        told = tuple(
            RecordOutcome(record_id, outcome)
            for record_id, outcome in zip(touched, outcomes, strict=False)
        )
        late = self.fulfilment.completed_at is not None
        stood = state.status
        self._answered("record_erased", system, key, outcomes=told, by=by)
        if late:
            assert self.fulfilment.systems[system].status is stood, "a late receipt changed it"
        if truly and system in self.ordered:
            gone = {record.digest for record in self.there[system] if record.record_id in touched}
            self.left[system] -= gone

    @rule(system=SYSTEM, key=KEY)
    def look_again(self, system: str, key: str) -> None:
        remaining = {r.digest: r for r in self.there[system] if r.digest in self.left[system]}
        self._answered("read_back", system, f"back-{key}", remaining=remaining)

    @rule(system=SYSTEM, key=KEY, truly=st.booleans())
    def go_on_as_one_should(self, system: str, key: str, truly: bool) -> None:
        """Chance alone seldom gets a system done; so some of the time all seems to go well."""
        self.find(system, key)
        self.instruct(system, kept=False)
        erased = [Outcome.ERASED] * len(self.there[system])
        self.erase(system, f"erase-{key}", None, erased, truly=truly)
        self.look_again(system, key)

    @rule(system=SYSTEM, attempt=st.integers(1, 4))
    def fail(self, system: str, attempt: int) -> None:
        self._try(
            "record_unavailable",
            system=system,
            attempt=attempt,
            next_try_at=self.now,
            reason="timeout",
        )

    @rule(system=SYSTEM)
    def escalate(self, system: str) -> None:
        self._try("escalate", system=system, reason="look-up")

    @rule(system=SYSTEM, days=st.integers(0, 3))
    def wait(self, system: str, days: int) -> None:
        self._try("wait_for_vendor", system=system, not_before=self.now + timedelta(days=days))

    @rule(system=SYSTEM, key=KEY, action=st.sampled_from([Action.FIND, Action.ERASE]))
    def cheat(self, system: str, key: str, action: Action) -> None:
        version = self.fulfilment.version
        self._try(
            "record_done", system=system, key=key, action=action, outcome=Outcome.ERASED, by="anna"
        )
        assert self.fulfilment.version == version

    @rule(days=st.integers(1, 4))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule()
    def complete(self) -> None:
        if self._try("complete"):
            answered = {SystemStatus.FOUND, SystemStatus.DONE}
            assert self.log[-1].__class__ is Fulfilment.Completed or self._was_complete()
            if isinstance(self.log[-1], Fulfilment.Completed):
                assert {s.status for s in self.fulfilment.systems.values()} <= answered

    def _was_complete(self) -> bool:
        return any(isinstance(event, Fulfilment.Completed) for event in self.log)

    @invariant()
    def done_means_that_nothing_is_left_but_what_stays(self) -> None:
        for name, state in self.fulfilment.systems.items():
            if state.status is not SystemStatus.DONE:
                continue
            assert name in self.ordered
            answered = {o.record_id: o.outcome for o in state.outcomes}
            for decision in state.decisions:
                record = next(r for r in self.there[name] if r.record_id == decision.record_id)
                if decision.touches_the_system and answered[decision.record_id] not in STAYS:
                    assert record.digest not in self.left[name], "done, and it is still there"

    @invariant()
    def it_is_what_its_events_say(self) -> None:
        assert replayed(self.log) == self.fulfilment


AnyFulfilment.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
test_a_fulfilment_is_done_only_when_it_is = AnyFulfilment.TestCase
