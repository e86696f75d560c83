"""Disclosing: what authorities were given, for the person who asks (Art. 15(1)(c), 23; GK-21)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid5

from domain.deadlines import received_on
from domain.disclosure import Disclosures, Given, disclosures_id
from domain.errors import DomainError
from domain.refusals import chosen
from domain.vocabulary import Compartment, RefusalGround, Right
from services import dossier
from services.controllers import Controllers
from services.ports import Clock, Erased, Vault
from services.register import Register, again_on_conflict


@dataclass(frozen=True, slots=True)
class Disclosed:
    """One disclosure with its words, as long as they are there."""

    given: Given
    authority: str
    words: str


class Disclosing:
    """The register of disclosures, case by case."""

    def __init__(
        self, register: Register, vault: Vault, controllers: Controllers, clock: Clock
    ) -> None:
        self._register, self._vault = register, vault
        self._controllers, self._clock = controllers, clock

    @again_on_conflict
    def record(
        self,
        case_id: UUID,
        *,
        authority: str,
        categories: Sequence[str],
        given_on: date,
        ground: str,
        words: str = "",
        by: str,
    ) -> UUID:
        """Record what an authority was given about the person of a case; answers its id."""
        name = authority.strip()
        if not name:
            raise DomainError("say which authority it was given to")
        now = self._clock()
        case = self._register.case(case_id)
        profile = self._controllers.in_force(case.controller)
        known = {category.id for category in profile.categories}
        if unknown := [one for one in categories if one not in known]:
            raise DomainError(
                f"there is no category {unknown[0]!r}; the profile has {', '.join(sorted(known))}"
            )
        # Never in an event, so that even its id tells nobody which authority it was.
        meant = self._vault.digest(case_id, f"{name} {given_on} {sorted(categories)} {ground}")
        disclosure_id = uuid5(disclosures_id(case_id), meant)
        disclosures = self._register.find_disclosures(case_id) or Disclosures(
            case_id=case_id, controller=case.controller, timestamp=now
        )
        if disclosure_id in disclosures.given:
            return disclosure_id
        account = self._vault.seal(
            case_id,
            Compartment.CORRESPONDENCE,
            dossier.DISCLOSED.dump_json(dossier.SealedDisclosure(name, words.strip())),
        )
        disclosures.record(
            disclosure_id=disclosure_id,
            account=account.ref,
            categories=tuple(dict.fromkeys(categories)),
            given_on=given_on,
            ground=ground,
            by=by,
            today=received_on(now, profile.country),
            at=now,
        )
        self._register.save_all([disclosures], account.also)
        return disclosure_id

    @again_on_conflict
    def withhold(
        self, case_id: UUID, disclosure_id: UUID, *, law: str, words: str, by: str
    ) -> None:
        """Leave it out of the answer, on a named national exception and for a reason."""
        if not words.strip():
            raise DomainError("say why it is withheld; the words are sealed")
        now = self._clock()
        case = self._register.case(case_id)
        profile = self._controllers.in_force(case.controller)
        reason = chosen(profile, Right.ACCESS, RefusalGround.NATIONAL_EXCEPTION, law.strip())
        disclosures = self._register.find_disclosures(case_id)
        if disclosures is None:
            raise DomainError("there is no such disclosure in this case")
        note = dossier.seal_note(self._vault, case_id, words.strip(), by, now)
        disclosures.withhold(disclosure_id, law=reason.law, note=note.ref, by=by, at=now)
        self._register.save_all([disclosures], note.also)

    def of_case(self, case_id: UUID) -> tuple[Disclosed, ...]:
        """Every disclosure of a case, the withheld ones too: for handlers only."""
        disclosures = self._register.find_disclosures(case_id)
        return tuple(map(self._opened, disclosures.given.values())) if disclosures else ()

    def told(self, case_id: UUID) -> tuple[Disclosed, ...]:
        """Those that an answer names."""
        return tuple(one for one in self.of_case(case_id) if one.given.withheld_by_law is None)

    def withheld_by(self, case_id: UUID) -> tuple[str, ...]:
        """The laws on which something is left out of the answer."""
        disclosures = self._register.find_disclosures(case_id)
        return disclosures.withheld_by if disclosures else ()

    def _opened(self, given: Given) -> Disclosed:
        try:
            sealed = dossier.DISCLOSED.validate_json(self._vault.open(given.account))
        except Erased:
            return Disclosed(given, "", "")
        return Disclosed(given, sealed.authority, sealed.words)
