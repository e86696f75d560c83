"""What was done, what was not and why, who else was told: the middle of an answer (Art. 12, 19)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from domain.errors import DomainError
from domain.grounds import Ground, ground
from domain.letters import (
    MANDATORY,
    Block,
    Explanation,
    Fact,
    Group,
    Items,
    Link,
    Paragraph,
    Piece,
    Said,
    Section,
)
from domain.policy import Recipient, Sector, System, Told
from domain.vocabulary import LetterKind, Outcome, Right, Role
from services.field_names import field_name
from services.letter_facts import CategoryOutcome, RecipientNotice
from services.letter_pen import Pen, line, merged, sentence
from services.ports import Residual
from services.recipient_words import what_came
from services.wording import in_language


@dataclass(frozen=True)
class OutcomeWriter(Pen):
    """Tells the outcomes of one letter."""

    def _done(self) -> Section:
        # What remains is told further down and is no reason to say twice what was done.
        done = merged(
            replace(o, residuals=()) for o in self.outcomes if not o.outcome.must_be_explained
        )
        groups = [
            Group(
                self.words.say(f"right_titles.{right.value}"),
                tuple(self._outcome(outcome) for outcome in done if outcome.right is right),
            )
            for right in dict.fromkeys(outcome.right for outcome in done)
        ]
        pieces: list[Piece] = list(groups)
        pieces += [
            Paragraph(words)
            for right in self.facts.rights
            if (words := self.words.find(f"stopped.{right.value}")) is not None
        ]
        if self.kind is LetterKind.OBJECTION_UPHELD and self.facts.purposes:
            pieces.insert(0, Group(self.words.say("objection.stopped"), self._purposes()))
        if self.kind is LetterKind.PARTIAL_REFUSAL and not self._changed and not self._exported:
            pieces.insert(0, Paragraph(self.words.say("done.nothing")))
        return self._section(Block.DONE, "done", *pieces)

    def _outcome(self, outcome: CategoryOutcome) -> str:
        said = self.words.say(f"outcomes.{outcome.outcome.value}")
        return self.words.say("done.item", what=self._what(outcome), outcome=said)

    def _what(self, outcome: CategoryOutcome) -> str:
        what = self._place(outcome)
        if outcome.count:
            what += f" ({self.words.counted('counts', outcome.count)})"
        return what

    def _place(self, outcome: CategoryOutcome) -> str:
        place = self._whole_place(outcome)
        if not outcome.fields:
            return place
        names = [field_name(name, self.facts.language) for name in outcome.fields]
        return self.words.say("done.fields", place=place, fields=self.words.listed(names))

    def _whole_place(self, outcome: CategoryOutcome) -> str:
        if outcome.purpose:
            return self._purpose(outcome.purpose)
        if not outcome.category:
            return self.words.say(f"right_titles.{outcome.right.value}")
        if not outcome.system:
            return self._category(outcome.category)
        return self.words.say(
            "done.place",
            category=self._category(outcome.category),
            system=self._system(outcome.system),
        )

    def _explanations(self) -> Iterator[Explanation]:
        said: list[Explanation] = []  # what remains of many records alike is told once
        for outcome in self.outcomes:
            if outcome.outcome.must_be_explained and outcome.outcome is not Outcome.RESIDUAL:
                title = self._outcome(outcome)
                yield Explanation(outcome.outcome, title, tuple(self._facts_of(outcome)))
            for residual in outcome.residuals:
                explanation = self._residual(outcome, residual)
                if explanation not in said:
                    said.append(explanation)
                    yield explanation
            if outcome.outcome is Outcome.RESIDUAL and not outcome.residuals:
                raise DomainError("a residual outcome must say what remains: give its residuals")

    def _facts_of(self, outcome: CategoryOutcome) -> Iterator[Said]:
        if outcome.keep_fields:
            names = [_inside(field_name(name, self.facts.language)) for name in outcome.keep_fields]
            only = self.words.say("not_done.only_fields", fields=self.words.listed(names))
            yield self._said(Fact.WHAT, only)
        known = ground(outcome.ground) if outcome.ground else None
        yield self._said(Fact.WHY, self._why(outcome, known))
        if law := self._law(outcome, known):
            yield self._said(Fact.LAW, law)
        yield self._said(Fact.UNTIL, self._until(outcome))

    def _why(self, outcome: CategoryOutcome, known: Ground | None) -> str:
        if outcome.outcome is Outcome.PENDING_AT_VENDOR and not outcome.why:
            return self.words.say("not_done.pending_why")
        reasons = [line(outcome.why)] if outcome.why else []
        if known and outcome.until:
            reason = in_language(known.text, self.facts.language, self.facts.profile)
            reasons.append(reason.format(until=self._day(outcome.until)))
        elif known:
            reasons.append(in_language(known.open_ended, self.facts.language, self.facts.profile))
        return " ".join(reasons)

    def _law(self, outcome: CategoryOutcome, known: Ground | None) -> str:
        if outcome.law:
            return self._cited(line(outcome.law))
        if known is None:
            return ""
        law = known.law
        if not law.startswith("GDPR"):
            law = f"{law}; GDPR {known.article}"
        _, _, without_weekday = self._day(known.read_on).partition(" ")
        return self.words.say("not_done.law_read", law=self._cited(law), day=without_weekday)

    def _until(self, outcome: CategoryOutcome) -> str:
        say = self.words.say
        if outcome.outcome is Outcome.PENDING_AT_VENDOR:
            day = outcome.not_before
            return say("not_done.pending_on", day=self._day(day)) if day else self._open("pending")
        if outcome.until:
            return say("not_done.on", day=self._day(outcome.until))
        if outcome.outcome is Outcome.BLOCKED_ARCHIVE:
            return self._open("archive")
        stands = {Outcome.REFUSED, Outcome.COVERED}
        return self._open("refusal" if outcome.outcome in stands else "")

    def _open(self, what: str) -> str:
        return self.words.say(f"not_done.{what}_open" if what else "not_done.open")

    def _residual(self, outcome: CategoryOutcome, residual: Residual) -> Explanation:
        say = self.words.say
        title = say("done.item", what=self._place(outcome), outcome=say("outcomes.residual"))
        until = residual.until
        said = (
            self._said(Fact.WHAT, sentence(self._coded("residual_what", residual.what))),
            self._said(Fact.WHY, self._coded("residual_why", residual.why)),
            self._said(
                Fact.UNTIL,
                say("not_done.vendor_on", day=self._day(until))
                if until
                else say("not_done.vendor_open"),
            ),
        )
        return Explanation(Outcome.RESIDUAL, title, said)

    def _said(self, fact: Fact, text: str) -> Said:
        return Said(fact, self.words.say(f"not_done.{fact.value}"), text)

    def _package(self) -> Iterator[Piece]:
        say, facts = self.words.say, self.facts
        what = "portable" if facts.rights == (Right.PORTABILITY,) else "contents"
        if facts.enclosed:
            yield Paragraph(f"{say('package.enclosed')} {say(f'package.{what}')}")
        elif facts.link_url and facts.link_ends_on:
            yield Paragraph(f"{say('package.where')} {say(f'package.{what}')}")
            yield Link(facts.link_url, say("package.link"))
            yield Paragraph(say("package.ends", day=self._day(facts.link_ends_on)))

    def _recipients(self) -> Iterator[Piece]:
        on_request = self.kind is LetterKind.RECIPIENTS
        if on_request:
            yield Paragraph(self.words.say("recipients.you_asked"))
        if not self.facts.recipients:
            yield Paragraph(
                self.words.say("recipients.nobody" if on_request else "recipients.none")
            )
            return
        yield Items(tuple(self._recipient(notice) for notice in self.facts.recipients))

    def _recipient(self, notice: RecipientNotice) -> str:
        profile = self.facts.profile
        known = next((r for r in profile.recipients if r.id == notice.recipient), None)
        system = next((s for s in profile.systems if s.id == notice.recipient), None)
        named = known.name if known else system.name if system else notice.recipient
        name = notice.name or named
        words = ""
        if known and known.told is notice.told:
            words = in_language(known.words, self.facts.language, profile)
        if not words:
            words = self._told(notice.told, known, system)
        contact = known.contact if known else None
        if notice.fields and contact and contact not in words:
            words = f"{words} {self.words.say('recipients.reach', contact=contact)}"
        words = " ".join([*self._received_by(notice), words, *what_came(notice, self.words)])
        return self.words.say("recipients.item", name=line(name), words=words)

    def _received_by(self, notice: RecipientNotice) -> Iterator[str]:
        if notice.fields:
            names = [field_name(name, self.facts.language).lower() for name in notice.fields]
            yield self.words.say("recipients.got", fields=self.words.listed(names))
        known = {category.id for category in self.facts.profile.categories}
        kinds = [_inside(self._category(id_)) for id_ in notice.categories if id_ in known]
        if kinds:
            yield self.words.say("recipients.of", categories=self.words.listed(kinds))

    def _told(self, told: Told, known: Recipient | None, system: System | None) -> str:
        one, say = known or system, self.words.say
        contact = known.contact if known else None
        if one and _is_payment_party(one):
            # Nobody but they themselves can change what they hold, so that is what is said (E-11).
            before = {Told.INFORMED: "payment_informed", Told.NOTHING: "nothing"}.get(told)
            begins = f"{say(f'recipients.{before}')} " if before else ""
            turn = (
                say("recipients.payment_turn_to", contact=contact)
                if contact
                else say("recipients.payment_turn")
            )
            return f"{begins}{say('recipients.payment')} {turn}"
        if told is Told.INFORMED and one and one.role is Role.PROCESSOR:
            return say("recipients.informed_processor")
        if told is Told.REFERRED and contact:
            return say("recipients.referred_to", contact=contact)
        return say(f"recipients.{told.value}")

    def _told_outcomes(self) -> frozenset[Outcome]:
        if self.kind.refuses or Block.DONE in MANDATORY[self.kind]:
            return frozenset(told for outcome in self.outcomes for told in outcome.told)
        return frozenset()


def _is_payment_party(one: Recipient | System) -> bool:
    """Who moves money holds a record of its own, and no call of ours reaches into it (E-11)."""
    return one.role is Role.INDEPENDENT_CONTROLLER and one.sector in {Sector.PAYMENT, Sector.BANK}


def _inside(name: str) -> str:
    """A name as it stands inside a sentence; an abbreviation keeps its letters."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]
