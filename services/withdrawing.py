"""Withdrawing: what stops the same day, and what goes because nothing else carried it.

A withdrawn consent takes with it what rested on consent alone; orders stay under their contract
(OK-07, AO-17). An objection to marketing takes the inferences made for it (GK-15).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.balancing import consent_only, is_inferred
from domain.deadlines import received_on
from domain.decisions import ErasureGround, RecordFacts, decide
from domain.policy import Category, Profile
from domain.request import DataSubjectRequest
from domain.vocabulary import Decision, Match, Outcome, Right
from services.controllers import Controllers
from services.held import Held
from services.ports import Clock, Connector, Person, Record, Refused, Result, Treatment
from services.register import Register
from services.restricting import Restrictions


class Withdrawing:
    """Stops marketing in one system, and what rests on a consent that is no more."""

    def __init__(
        self,
        register: Register,
        controllers: Controllers,
        held: Held,
        restrictions: Restrictions,
        clock: Clock,
    ) -> None:
        self._register, self._controllers, self._held = register, controllers, held
        self._restrictions, self._clock = restrictions, clock

    def stop(
        self,
        request: DataSubjectRequest,
        system: str,
        connector: Connector,
        person: Person,
        *,
        key: str,
        tried_before: bool,
    ) -> Result:
        """Suppress first, so that nothing is sent while the rest goes; then read back."""
        suppressed = connector.suppress(person, key=key)
        if not self.ending(request, system):
            return suppressed
        gone = set()
        for record, decision in list(self.going(request, system, connector.find(person))):
            treatment = Treatment(record.key, record.kind, anonymise=decision is Decision.ANONYMISE)
            connector.erase(person, treatment, key=f"{key}/{record.key}")
            if decision is Decision.ERASE:
                gone.add((record.kind, record.key))
        if not gone:
            if tried_before and suppressed.outcome is Outcome.NOT_FOUND:
                # Whoever tried before may have erased it and been cut off before that was saved.
                return Result(Outcome.ERASED, "by-an-earlier-try")
            return suppressed
        now = connector.find(person, fresh_after=self._clock())
        if any((record.kind, record.key) in gone for record in now):
            raise Refused("something is still there after the erasure")
        return Result(Outcome.ERASED, suppressed.detail)

    def ending(self, request: DataSubjectRequest, system: str) -> frozenset[str]:
        """The categories in a system that nothing carries any more; none while restricted."""
        profile = self._controllers.in_force(request.controller)
        ends = self._categories_that_end(request, profile, system)
        return frozenset() if ends and self._restrictions.standing(request) else ends

    def going(
        self, request: DataSubjectRequest, system: str, records: Iterable[Record]
    ) -> Iterator[tuple[Record, Decision]]:
        """Which of these records go, and how."""
        profile = self._controllers.in_force(request.controller)
        ends = self.ending(request, system)
        for record in records:
            decision = self._decision(request, profile, system, record, ends)
            if decision in {Decision.ERASE, Decision.ANONYMISE}:
                yield record, decision

    def _categories_that_end(
        self, request: DataSubjectRequest, profile: Profile, system: str
    ) -> frozenset[str]:
        known = next((one for one in profile.systems if one.id == system), None)
        withdrawal = self._register.find_withdrawal(request.id)
        withdrawn = withdrawal.purposes if withdrawal is not None else ()

        def ends(category: Category) -> bool:
            if request.right is Right.WITHDRAWAL:
                return consent_only(profile, category, withdrawn)
            return is_inferred(profile, category)

        holdings = known.holdings if known is not None else ()
        return frozenset(
            holding.category for holding in holdings if ends(profile.category(holding.category))
        )

    def _decision(
        self,
        request: DataSubjectRequest,
        profile: Profile,
        system: str,
        record: Record,
        ends: frozenset[str],
    ) -> Decision | None:
        """What becomes of a record that is filed under the address; a mere namesake is left."""
        holding = profile.system(system).holding(record.kind)
        if holding is None or holding.category not in ends or record.match is Match.SAME_NAME:
            return None
        if self._held.on_record(request.controller, system, record.kind, record.key):
            return Decision.KEEP
        facts = RecordFacts(system, record.kind, record.anchors, record.flags)
        on = received_on(self._clock(), request.country)
        ground = ErasureGround.CONSENT_WITHDRAWN
        return decide(facts, profile, (), on, ground=ground).decision
