"""What becomes of one found record of an erasure request (Art. 17(1), 17(3)).

The rules, in this order; the first that answers wins, except that 5 to 8 add up:

1. A system or sort of record that the profile does not know: nothing goes before a person looked.
2. Another controller's system: refer. We can inform them, not erase there (Art. 19).
3. A public body's record: block and refer until the archive has confirmed it, unless the profile
   says with a reason that its category is none for the archive; where nobody has decided whether
   archive law applies: ask, and keep meanwhile.
4. Restricted data (Art. 18): the person has a say before that changes.
5. Standing holds that a person placed (legal claims: with reason, owner and review date).
6. Bookkeeping: in the one system where the voucher lives, only what makes the voucher.
7. A ground that no contract outweighs: consent withdrawn where consent is the only basis, an
   objection to marketing, an upheld objection, unlawful processing. Then 8 is passed over, 5 and 6
   are not.
8. Open obligations: what entry, settlement or a guarantee still needs, until the day after.
9. Otherwise the purpose has ended. The controller's own retention period is no exception: it says
   how long data is needed when nobody asks, not that it outlasts a request.

An exception must be allowed by law and not ruled out by the promise. A promise without room for
open obligations still costs nobody a ticket unasked: the person is asked first, and may give it up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from domain.errors import DomainError
from domain.grounds import (
    ARCHIVE,
    BOOKKEEPING,
    LEGAL_CLAIM,
    OPEN_OBLIGATION,
    REFUND,
    RESTRICTION,
    WARRANTY,
    ground,
    is_allowed,
)
from domain.personal import PersonalRef
from domain.policy import BodyType, Category, Holding, LegalBasis, Profile, System
from domain.retention import (
    bookkeeping_until,
    fiscal_year_end,
    open_obligations,
    retention_end,
    unmet,
)
from domain.vocabulary import Decision, Role
from domain.vocabulary import ErasureGround as ErasureGround

_OBLIGATION_GROUNDS = {"refund_open": REFUND, "guarantee": WARRANTY}
_OBJECTABLE = frozenset({LegalBasis.LEGITIMATE_INTEREST, LegalBasis.PUBLIC_TASK})


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """What is known about a found record, without its content."""

    system: str
    kind: str
    anchors: Mapping[str, date] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StandingHold:
    """Somebody decided that this must stay. `fields` empty: the whole record.

    A legal claim needs a reason (in the vault), an owner (a staff id) and a review date, so that
    none becomes a blanket.
    """

    system: str
    category: str
    ground: str
    until: date | None = None
    review_on: date | None = None
    reason: PersonalRef | None = None
    owner: str = ""
    fields: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        ground(self.ground)
        if self.ground == LEGAL_CLAIM and not (self.reason and self.owner and self.review_on):
            raise DomainError("a hold for a legal claim needs a reason, an owner and a review date")
        if self.until is None and self.review_on is None:
            raise DomainError("a hold needs the day on which it ends, or on which it is reviewed")

    def covers(self, facts: RecordFacts, category: str, on: date) -> bool:
        return (
            (self.system, self.category) == (facts.system, category)
            and (not self.kinds or facts.kind in self.kinds)
            and (self.until is None or on <= self.until)
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that stays: why, which fields (none named: all), and the last day of it."""

    ground: str
    until: date | None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the reasoning, by a code that can be said, with the day it led to."""

    code: str
    day: date | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a record, and why, for the handler's preview, the letter and the log.

    `met` is the letter of Art. 17(1) on which everything goes that is not kept. `asks` are
    questions that a person must answer first; whatever is kept has an `until` or a question.
    """

    decision: Decision
    explanation: str
    met: ErasureGround | None = None
    kept: tuple[Kept, ...] = ()
    asks: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    asked: tuple[str, ...] = ()
    """The fields that the person wants erased; none named: the whole record."""
    survive: tuple[str, ...] | None = None
    """What must survive where fields were asked for; empty: the system is not touched."""

    @property
    def lasting(self) -> Kept | None:
        """Of everything kept, what stays longest; without a date counts as longest."""
        return max(self.kept, key=lambda kept: kept.until or date.max, default=None)

    @property
    def ground(self) -> str | None:
        return self.lasting.ground if self.lasting else None

    @property
    def law(self) -> str | None:
        return ground(self.ground).law if self.ground else None

    @property
    def until(self) -> date | None:
        return self.lasting.until if self.lasting else None

    @property
    def keep_fields(self) -> tuple[str, ...]:
        """What must survive; empty although something is kept: the whole record."""
        if self.survive is not None:
            return self.survive
        if any(not kept.fields for kept in self.kept):
            return ()
        return tuple(dict.fromkeys(name for kept in self.kept for name in kept.fields))


def decide(
    facts: RecordFacts,
    profile: Profile,
    holds: Sequence[StandingHold],
    on: date,
    *,
    ground: ErasureGround = ErasureGround.NO_LONGER_NEEDED,
) -> Verdict:
    """Erase, anonymise, keep, block or refer: the rules at the head of this module."""
    system = next((s for s in profile.systems if s.id == facts.system), None)
    holding = system.holding(facts.kind) if system else None
    if system is None or holding is None:
        return Verdict(Decision.KEEP, "not_in_profile", asks=("say_what_this_is",))
    case = _Case(facts, profile, system, holding, profile.category(holding.category), on, ground)
    return case.elsewhere() or case.here(
        [h for h in holds if h.covers(facts, case.category.id, on)]
    )


@dataclass(frozen=True, slots=True)
class _Case:
    facts: RecordFacts
    profile: Profile
    system: System
    holding: Holding
    category: Category
    on: date
    asked: ErasureGround

    def elsewhere(self) -> Verdict | None:
        """Rules 2 to 4: somebody else has the last word."""
        if self.system.role is Role.INDEPENDENT_CONTROLLER:
            return self._verdict(Decision.REFER, "another_controller")
        archived = "handed_to_archive" in self.facts.flags
        if self.profile.goes_to_archive(self.category) and not archived:
            archive = Kept(ARCHIVE[self.profile.country], until=None)
            if self.profile.body_type is BodyType.TO_BE_DECIDED:
                return self._verdict(
                    Decision.KEEP,
                    "archive_duty_undecided",
                    kept=(archive,),
                    asks=("decide_archive_duty",),
                )
            return self._verdict(Decision.BLOCK_AND_REFER, "archive_first", kept=(archive,))
        if "restricted" in self.facts.flags:
            return self._verdict(
                Decision.KEEP,
                "restricted",
                kept=(Kept(RESTRICTION, until=None),),
                asks=("ask_person_about_restriction",),
            )
        return None

    def here(self, holds: Sequence[StandingHold]) -> Verdict:
        """Rules 5 to 9: what must stay adds up; everything else goes."""
        met = self._prevailing()
        parts = list(self._held(holds))
        # What a person stated or prolonged takes the place of what is counted on the same ground.
        by_hand = {part.kept.ground for part in parts}
        counted = [*self._voucher(), *(self._owed() if met is None else ())]
        parts += [part for part in counted if part.kept.ground not in by_hand]
        kept = tuple(part.kept for part in parts)
        asks = tuple(dict.fromkeys(ask for part in parts for ask in part.asks))
        steps = tuple(step for part in parts for step in part.steps)
        if not kept:
            return self._erase(met)
        partly = all(part.fields for part in kept)
        return self._verdict(
            Decision.KEEP,
            parts[0].explanation,
            met=(met or self._ended()) if partly else None,
            kept=kept,
            asks=asks,
            steps=steps,
        )

    # What must stay

    def _held(self, holds: Sequence[StandingHold]) -> Iterator[_Part]:
        for hold in holds:
            next_look = min(day for day in (hold.until, hold.review_on) if day)
            overdue = next_look < self.on
            yield self._part(
                Kept(hold.ground, until=None if overdue else next_look, fields=hold.fields),
                "kept_by_hold",
                asks=("review_hold",) if overdue else (),
                excluded="settle_hold_against_promise",
            )

    def _voucher(self) -> Iterator[_Part]:
        holding, flags = self.holding, self.facts.flags
        if not holding.voucher:
            return
        if holding.voucher_if and not flags.intersection(holding.voucher_if):
            return
        code = BOOKKEEPING[self.profile.country]
        booked_on = self._booked_on()
        if booked_on is None:
            yield self._part(
                Kept(code, until=None, fields=holding.voucher_fields),
                "kept_by_bookkeeping",
                asks=("say_voucher_date",),
            )
            return
        until = bookkeeping_until(self.profile.country, booked_on, self.profile.fiscal_year)
        if self.on <= until:
            year_end = fiscal_year_end(booked_on, self.profile.fiscal_year)
            yield self._part(
                Kept(code, until=until, fields=holding.voucher_fields),
                "kept_by_bookkeeping",
                steps=(
                    Step("voucher_dated", booked_on),
                    Step("fiscal_year_ended", year_end),
                    Step("kept_until", until),
                ),
            )

    def _booked_on(self) -> date | None:
        anchors = self.facts.anchors
        if "voucher" in anchors:
            return anchors["voucher"]
        # The later day is the careful one: a fiscal year may end between order and invoice.
        names = ("invoiced", "last_purchase", "order_placed")
        return max((anchors[name] for name in names if name in anchors), default=None)

    def _owed(self) -> Iterator[_Part]:
        retention, anchors, flags = self.category.retention, self.facts.anchors, self.facts.flags
        obligations = list(open_obligations(retention, anchors, flags, self.on))
        for owed in obligations:
            code = _OBLIGATION_GROUNDS.get(owed.flag, OPEN_OBLIGATION)
            yield self._owing(code, owed.flag, owed.until)
        if obligations or self.holding.voucher or "given_up" in flags:
            # Bookkeeping answers for a voucher; the guarantee is served from the order itself.
            return
        if unmet(retention, anchors, flags, self.on):
            # The controller's period estimates when the last guarantee runs out.
            until = anchors.get("warranty_ends") or retention_end(retention, anchors, flags).until
            asks = () if "warranty_ends" in anchors else ("say_whether_guarantee_runs",)
            yield self._owing(WARRANTY, "guarantee", until, asks)

    def _owing(self, code: str, flag: str, until: date | None, asks: tuple[str, ...] = ()) -> _Part:
        known = until if until is not None and self.on <= until else None
        return self._part(
            Kept(code, until=known, fields=self.holding.needed.get(flag, ())),
            "kept_for_open_obligation",
            asks=asks or (() if known else ("say_when_it_ends",)),
            excluded="ask_person_to_give_up",
            steps=(Step("obligation_open", known, flag),),
        )

    def _part(
        self,
        kept: Kept,
        explanation: str,
        *,
        asks: tuple[str, ...] = (),
        excluded: str = "settle_hold_against_promise",
        steps: tuple[Step, ...] = (),
    ) -> _Part:
        if not is_allowed(kept.ground, self.profile):
            asks, steps = (*asks, excluded), (*steps, Step("promise_rules_out", detail=kept.ground))
        return _Part(kept, explanation, asks, steps)

    # What goes

    def _prevailing(self) -> ErasureGround | None:
        """Rule 7: the ground that no contract outweighs, if one is met."""
        bases, asked = self.profile.bases(self.category), self.asked
        purposes = [self.profile.purpose(p) for p in self.category.purposes]
        if asked in {ErasureGround.UNLAWFUL, ErasureGround.LEGAL_DUTY}:
            return asked
        if asked is ErasureGround.CHILD and bases == {LegalBasis.CONSENT}:
            return asked
        if purposes and all(purpose.marketing for purpose in purposes):
            return ErasureGround.MARKETING_OBJECTION
        if bases == {LegalBasis.CONSENT}:
            return ErasureGround.CONSENT_WITHDRAWN
        if asked is ErasureGround.OBJECTION and bases and bases <= _OBJECTABLE:
            return asked
        return None

    def _ended(self) -> ErasureGround:
        bases = self.profile.bases(self.category)
        # Nobody named overriding grounds, so a plain request counts as an objection too.
        return (
            ErasureGround.OBJECTION
            if bases and bases <= _OBJECTABLE
            else ErasureGround.NO_LONGER_NEEDED
        )

    def _erase(self, met: ErasureGround | None) -> Verdict:
        met = met or self._ended()
        ended = retention_end(self.category.retention, self.facts.anchors, self.facts.flags)
        steps = (
            (Step("retention_would_end", ended.until, ended.anchor or ""),) if ended.until else ()
        )
        return self._verdict(
            Decision.ANONYMISE if self.holding.anonymise else Decision.ERASE,
            _EXPLANATIONS[met],
            met=met,
            steps=steps,
        )

    def _verdict(
        self,
        decision: Decision,
        explanation: str,
        *,
        met: ErasureGround | None = None,
        kept: tuple[Kept, ...] = (),
        asks: tuple[str, ...] = (),
        steps: tuple[Step, ...] = (),
    ) -> Verdict:
        flags = self.facts.flags
        special = self.category.special or "special_category" in flags
        notices = (
            *(("special_category_found",) if special else ()),
            *(("full_card_number_found",) if "full_card_number" in flags else ()),
        )
        return Verdict(decision, explanation, met, kept, asks, notices, steps)


@dataclass(frozen=True, slots=True)
class _Part:
    kept: Kept
    explanation: str
    asks: tuple[str, ...]
    steps: tuple[Step, ...]


_EXPLANATIONS = {
    ErasureGround.NO_LONGER_NEEDED: "no_longer_needed",
    ErasureGround.CONSENT_WITHDRAWN: "consent_withdrawn",
    ErasureGround.OBJECTION: "objection_upheld",
    ErasureGround.MARKETING_OBJECTION: "marketing_ends",
    ErasureGround.UNLAWFUL: "unlawful",
    ErasureGround.LEGAL_DUTY: "legal_duty",
    ErasureGround.CHILD: "child_consent",
}
