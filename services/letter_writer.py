"""Writes the blocks of every kind of letter from its facts (GDPR Art. 12, 15, 19, 34, 77 to 79)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from domain.authorities import Authority, appeals_to_administrative_court, authority
from domain.errors import DomainError
from domain.explanation import written_date
from domain.grounds import Ground, ground
from domain.letters import (
    MANDATORY,
    Block,
    Code,
    Explanation,
    Fact,
    Group,
    Items,
    Letter,
    Link,
    Paragraph,
    Piece,
    Said,
    Section,
    Words,
)
from domain.policy import BodyType, ChannelKind, ContactChannel, Told
from domain.vocabulary import LetterKind, Outcome, Right, Role
from services.citations import cited
from services.field_names import field_name
from services.letter_facts import OWN_SYSTEM, CategoryOutcome, LetterFacts, RecipientNotice
from services.letter_looks import Closing
from services.ports import Residual
from services.wording import LETTERS, Wording, in_language, short, wording


@dataclass(frozen=True)
class Writer:
    """Writes the parts of one letter, in their order, from its facts."""

    kind: LetterKind
    facts: LetterFacts
    words: Wording = field(init=False)
    outcomes: tuple[CategoryOutcome, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", wording(LETTERS, self.facts.language))
        object.__setattr__(self, "outcomes", _merged(self.facts.outcomes or self._refused()))

    def letter(self) -> Letter:
        sections = [section for section in self._sections() if section.is_said]
        if lines := self.closing().lines:
            sections.append(Section(Block.CONTROLLER, "", _paragraphs(lines)))
        return Letter(
            kind=self.kind,
            language=self.facts.language,
            subject=self.words.say(f"subject.{self.kind.value}", case=self._case),
            greeting=self._greeting(),
            sections=tuple(sections),
            rights=frozenset(self.facts.rights),
            outcomes=self._told_outcomes(),
        )

    def closing(self) -> Closing:
        if self.kind is LetterKind.HOLD_RELEASED:
            return Closing("", ())
        controller = self.facts.profile.controller
        number = controller.organisation_number
        names = [self._controller, controller.delegate, controller.trade_name]
        lines = [
            *dict.fromkeys(filter(None, names)),
            controller.postal_address or "",
            self.words.say("closing.number", number=number) if number else "",
            self.facts.profile.website or "",
        ]
        return Closing(self.words.say("closing.regards"), tuple(filter(None, lines)))

    def _told_outcomes(self) -> frozenset[Outcome]:
        if self.kind.refuses or Block.DONE in MANDATORY[self.kind]:
            return frozenset(told for outcome in self.outcomes for told in outcome.told)
        return frozenset()

    def _sections(self) -> Iterator[Section]:
        for part in _PARTS[self.kind]:
            yield from part(self)

    def _refused(self) -> tuple[CategoryOutcome, ...]:
        """What a letter refuses as a whole, where nobody says it system by system."""
        if not self.kind.refuses or self.kind is LetterKind.PARTIAL_REFUSAL:
            return ()
        why = self.facts.why or self.words.find(f"default_why.{self.kind.value}")
        law = self.facts.law or _LAWS.get(self.kind)
        return tuple(
            CategoryOutcome(right, "", "", Outcome.REFUSED, why=why, law=law)
            for right in self.facts.rights
        )

    # How every letter begins

    def _lead(self) -> Iterator[Section]:
        if self.facts.received_on is not None:
            lead = self.words.say(f"lead.{self._lead_key()}", received=self._received)
            yield Section(Block.RECEIVED_ON, "", (Paragraph(lead),))
        yield from self._reference()

    def _reference(self) -> Iterator[Section]:
        if self._case:
            case = self.words.say("lead.case", case=self._case)
            yield Section(Block.CASE_REFERENCE, "", (Paragraph(case),))

    def _message(self) -> Iterator[Section]:
        if self.facts.free_text:
            yield self._section(Block.MESSAGE, "message", Words(_clean(self.facts.free_text)))

    def _lead_key(self) -> str:
        given = self._changed or self._exported
        if self.kind is LetterKind.PARTIAL_REFUSAL and not given:
            return "refusal"
        return self.kind.value

    def _acknowledgement(self) -> Iterator[Section]:
        say, rights = self.words.say, self.facts.rights
        if rights:
            yield self._section(
                Block.UNDERSTOOD,
                "understood",
                Paragraph(say("understood.intro")),
                Items(tuple(say(f"rights.{right.value}") for right in rights)),
                Paragraph(say("understood.wrong")),
            )
        yield self._section(Block.ANSWER_BY, "answer_by", Paragraph(" ".join(self._answer_by())))
        yield self._section(Block.NEXT_STEPS, "next", Items(tuple(self._next())))

    def _answer_by(self) -> Iterator[str]:
        say, dates = self.words.say, self.facts.deadlines
        if dates is not None:
            law = self._day(dates.statutory_due)
            promise = dates.promise_due
            # A promise later than the law is none that we may hold out.
            if promise is None or promise > dates.statutory_due:
                yield say("answer_by.law", law=law)
            elif promise == dates.statutory_due:
                yield say("answer_by.promise_is_law", law=law)
            else:
                yield say("answer_by.promise_and_law", promise=self._day(promise), law=law)
            yield say("answer_by.sooner")
        if any(not right.is_statutory for right in self.facts.rights):
            yield say("answer_by.courtesy")

    def _next(self) -> Iterator[str]:
        say, rights = self.words.say, set(self.facts.rights)
        if any(not right.acts_at_once for right in rights):
            yield say("next.work")
        for right, key in _AT_ONCE.items():
            if right in rights:
                day = self.facts.act_by
                yield say(f"next.{key}_by", day=self._day(day)) if day else say(f"next.{key}")
        if {Right.ACCESS, Right.ERASURE} <= rights:
            yield say("next.copy_first")
        yield say(f"next.identity-{self.facts.identity.value}")
        yield say("next.free")

    def _identity_code(self) -> Iterator[Section]:
        say, facts = self.words.say, self.facts
        lead = say("lead.identity-code", controller=self._controller)
        yield Section(Block.UNDERSTOOD, "", (Paragraph(lead),))
        yield from self._reference()
        if facts.code:
            pieces: list[Piece] = [Code(facts.code)]
            if facts.link_url:
                pieces.append(Link(facts.link_url, say("code.link")))
            yield self._section(Block.CODE, "code", *pieces)
        if facts.code_minutes:
            ends = say("code.ends", minutes=facts.code_minutes)
            yield Section(Block.CODE_ENDS, "", (Paragraph(ends),))
        not_asked = f"{say('code.secret')} {say('code.not_asked')}"
        yield Section(Block.NOT_ASKED, "", (Paragraph(not_asked),))

    # What was done

    def _answer(self) -> Iterator[Section]:
        yield self._done()
        yield self._section(Block.PACKAGE, "package", *self._package())
        if self.facts.covered:
            text = (
                f"{self.words.say('covered.text')} {self._law_of('covered.law', 'GDPR Art. 15(4)')}"
            )
            yield self._section(Block.COVERED, "covered", Paragraph(text))

    def _not_done(self) -> Iterator[Section]:
        pieces: list[Piece] = []
        if self.kind is LetterKind.OBJECTION_DISMISSED and self.facts.purposes:
            pieces.append(Group(self.words.say("objection.goes_on"), self._purposes()))
        yield self._section(Block.NOT_DONE, "not_done", *pieces, *self._explanations())

    def _decided_by(self) -> Iterator[Section]:
        if self.facts.decided_by and self.facts.decided_by.strip():
            decided = self.words.say(
                "decided.text", name=_line(self.facts.decided_by), controller=self._controller
            )
            yield self._section(Block.DECIDED_BY, "decided", Paragraph(decided))

    def _others(self) -> Iterator[Section]:
        if _CHANGE_WHAT_OTHERS_HOLD.intersection(self.facts.rights) or self.facts.recipients:
            yield self._section(Block.RECIPIENTS, "recipients", *self._recipients())

    def _purposes(self) -> tuple[str, ...]:
        profile = self.facts.profile
        known = {purpose.id: purpose for purpose in profile.purposes}
        for id_ in self.facts.purposes:
            if id_ not in known:
                raise DomainError(
                    f"purpose {id_!r} has no name in profile {profile.id}: add it there"
                )
        return tuple(
            in_language(known[id_].name, self.facts.language, profile)
            for id_ in self.facts.purposes
        )

    def _done(self) -> Section:
        # What remains is told further down and is no reason to say twice what was done.
        done = _merged(
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
        if not outcome.category:
            return self.words.say(f"right_titles.{outcome.right.value}")
        return self.words.say(
            "done.place",
            category=self._category(outcome.category),
            system=self._system(outcome.system),
        )

    # What was not done, and why

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
            names = [field_name(name, self.facts.language) for name in outcome.keep_fields]
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
        reasons = [_line(outcome.why)] if outcome.why else []
        if known and outcome.until:
            reason = in_language(known.text, self.facts.language, self.facts.profile)
            reasons.append(reason.format(until=self._day(outcome.until)))
        elif known:
            reasons.append(in_language(known.open_ended, self.facts.language, self.facts.profile))
        return " ".join(reasons)

    def _law(self, outcome: CategoryOutcome, known: Ground | None) -> str:
        if outcome.law:
            return self._cited(_line(outcome.law))
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
            self._said(Fact.WHAT, _sentence(self._coded("residual_what", residual.what))),
            self._said(Fact.WHY, self._coded("residual_why", residual.why)),
            self._said(
                Fact.UNTIL,
                say("not_done.vendor_on", day=self._day(until))
                if until
                else say("not_done.vendor_open"),
            ),
        )
        return Explanation(Outcome.RESIDUAL, title, said)

    def _coded(self, table: str, code: str) -> str:
        text = self.words.find(f"{table}.{code}")
        if text is None:
            raise DomainError(
                f"letters have no words for {code!r}: add it to [{table}] in every language"
            )
        return text

    def _said(self, fact: Fact, text: str) -> Said:
        return Said(fact, self.words.say(f"not_done.{fact.value}"), text)

    # The copy, the others, the ways on

    def _package(self) -> Iterator[Piece]:
        say, facts = self.words.say, self.facts
        what = "portable" if facts.rights == (Right.PORTABILITY,) else "contents"
        if facts.enclosed:
            yield Paragraph(f"{say('package.enclosed')} {say(f'package.{what}')}")
        elif facts.link_url and facts.link_ends_on:
            yield Paragraph(f"{say('package.where')} {say(f'package.{what}')}")
            yield Link(facts.link_url, say("package.link"))
            yield Paragraph(say("package.ends", day=self._day(facts.link_ends_on)))

    def _recipients_named(self) -> Iterator[Section]:
        yield self._section(Block.RECIPIENTS, "recipients", *self._recipients())

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
        name = known.name if known else notice.recipient
        words = ""
        if known and known.told is notice.told:
            words = in_language(known.words, self.facts.language, profile)
        if not words:
            words = self._told(
                notice.told,
                known.contact if known else None,
                is_processor=bool(known and known.role is Role.PROCESSOR),
            )
        words = " ".join(filter(None, [self._received_by(notice), words, self._told_on(notice)]))
        return self.words.say("recipients.item", name=_line(name), words=words)

    def _received_by(self, notice: RecipientNotice) -> str:
        if not notice.fields:
            return ""
        names = [field_name(name, self.facts.language).lower() for name in notice.fields]
        return self.words.say("recipients.got", fields=self.words.listed(names))

    def _told_on(self, notice: RecipientNotice) -> str:
        if notice.on is None:
            return ""
        about = notice.about.value if notice.about else "other"
        text = self.words.find(f"recipients_about.{about}")
        key = f"recipients_about.{about if text else 'other'}"
        return self.words.say(key, day=self._day(notice.on))

    def _told(self, told: Told, contact: str | None, *, is_processor: bool) -> str:
        if told is Told.INFORMED and is_processor:
            return self.words.say("recipients.informed_processor")
        if told is Told.REFERRED and contact:
            return self.words.say("recipients.referred_to", contact=contact)
        return self.words.say(f"recipients.{told.value}")

    def _complaint(self) -> Iterator[Section]:
        known, language = self._authority, self.facts.language
        yield self._section(
            Block.COMPLAINT,
            "complaint",
            Paragraph(in_language(known.complaint, language, self.facts.profile)),
            Paragraph(in_language(known.by_post, language, self.facts.profile)),
            Words("\n".join(known.address)),
        )

    def _remedy(self) -> Iterator[Section]:
        profile = self.facts.profile
        remedy = in_language(self._authority.remedy, self.facts.language, profile)
        pieces: list[Piece] = [Paragraph(remedy)]
        if self._can_be_appealed():
            pieces.insert(0, Paragraph(self.words.say("remedy.appeal")))
            if address := self._appeal_address():
                pieces.insert(1, Paragraph(self.words.say("remedy.appeal_to", address=address)))
        yield self._section(Block.REMEDY, "remedy", *pieces)

    def _can_be_appealed(self) -> bool:
        decides = self.kind.refuses or self.kind is LetterKind.FEE_ANNOUNCED
        about = set(self.facts.rights) | {outcome.right for outcome in self.outcomes}
        return (
            decides
            and bool(about & _APPEALABLE)
            and appeals_to_administrative_court(
                self.facts.profile.country, self.facts.profile.body_type
            )
        )

    def _appeal_address(self) -> str:
        profile = self.facts.profile
        mail = next((c.address for c in profile.channels if c.kind is ChannelKind.EMAIL), None)
        return ", ".join(filter(None, [profile.controller.postal_address, mail]))

    # Questions

    def _why_asked(self) -> Iterator[Section]:
        table = "authority" if self.kind is LetterKind.AUTHORITY_QUESTION else "doubts"
        pieces: list[Piece] = []
        if self.facts.doubt:
            pieces.append(Paragraph(self._coded(table, self.facts.doubt)))
        pieces += self._own_words(self.facts.why)
        yield self._section(Block.WHY_ASKED, "why_asked", *pieces)

    def _question(self) -> Iterator[Section]:
        say, pieces = self.words.say, self._own_words(self.facts.question)
        if self.kind is LetterKind.AUTHORITY_QUESTION:
            if self.facts.doubt:
                pieces.insert(0, Paragraph(self._coded("authority_asks", self.facts.doubt)))
            if pieces:
                pieces.append(Paragraph(say("question.papers")))
        elif pieces and self.kind is LetterKind.CLARIFICATION:
            pieces.append(Paragraph(say("question.no_need")))
        yield self._section(Block.QUESTION, "question", *pieces)

    def _ways(self) -> Iterator[Section]:
        say, facts = self.words.say, self.facts
        if not facts.ways:
            return
        yield self._section(
            Block.WAYS,
            "ways",
            Paragraph(say("ways.intro")),
            Items(tuple(say(f"ways_of.{way.value}") for way in facts.ways)),
            Paragraph(say("ways.no_more")),
        )
        if facts.link_url:
            yield Section(Block.LINK, "", tuple(self._link("ways.link")))

    def _way_in(self) -> Iterator[Section]:
        if self.facts.link_url:
            yield Section(Block.LINK, "", tuple(self._link("ways.link")))

    def _link(self, label: str) -> Iterator[Piece]:
        if self.facts.link_url:
            yield Link(self.facts.link_url, self.words.say(label))
        if self.facts.link_ends_on:
            yield Paragraph(self.words.say("link.ends", day=self._day(self.facts.link_ends_on)))

    def _asked_on(self) -> Iterator[Section]:
        if self.facts.asked_on:
            asked = self.words.say(f"asked.{self.kind.value}", day=self._day(self.facts.asked_on))
            yield Section(Block.ASKED_ON, "", (Paragraph(asked),))

    def _reply_by(self) -> Iterator[Section]:
        if self.facts.reply_by is None:
            return
        key = self.kind.value if self.kind in _REPLY_WORDS else "question"
        text = self.words.say(f"reply_by.{key}", day=self._day(self.facts.reply_by))
        yield self._section(Block.REPLY_BY, "reply_by", Paragraph(text))

    # Time, money, and what ends

    def _reasons(self) -> Iterator[Section]:
        key = _REASONS[self.kind]
        said = [self._coded(key, code) for code in self.facts.reasons]
        pieces: list[Piece] = [Items(tuple(said))] if len(said) > 1 else list(_paragraphs(said))
        pieces += self._own_words(self.facts.why)
        if pieces and (intro := self.words.find(f"reasons.{key}_intro")):
            pieces.insert(0, Paragraph(intro))
        yield Section(Block.REASONS, self.words.say(f"reasons.{key}"), tuple(pieces))

    def _new_date(self) -> Iterator[Section]:
        if self.facts.new_date:
            day = self.words.say("new_date.text", day=self._day(self.facts.new_date))
            law = self._law_of("new_date.law", "GDPR Art. 12(3)")
            yield self._section(Block.NEW_DATE, "answer_by", Paragraph(f"{day} {law}"))

    def _fee(self) -> Iterator[Section]:
        if self.facts.fee:
            fee = self.words.say("fee.text", fee=_line(self.facts.fee))
            law = self._law_of("fee.law", "GDPR Art. 12(5)(a)")
            yield self._section(Block.FEE, "fee", Paragraph(f"{fee} {law}"))

    def _lifted_on(self) -> Iterator[Section]:
        if self.facts.lift_on:
            text = self.words.say("lifted.text", day=self._day(self.facts.lift_on))
            yield self._section(Block.LIFTED_ON, "lifted", Paragraph(text))

    def _released(self) -> Iterator[Section]:
        say = self.words.say
        yield Section(Block.RELEASED, "", (Paragraph(say("released.text")),))
        if self._case:
            case = say("released.case", case=self._case)
            yield Section(Block.CASE_REFERENCE, "", (Paragraph(case),))
        if self.facts.link_url:
            pieces = (*self._link("released.link"), Paragraph(say("released.code")))
            yield Section(Block.LINK, "", pieces)

    def _way_back(self) -> Iterator[Section]:
        text = self.words.say(f"way_back.{self.kind.value}")
        yield self._section(Block.WAY_BACK, "way_back", Paragraph(text))

    # Somebody else, or something else

    def _elsewhere(self) -> Iterator[Section]:
        say, there = self.words.say, self.facts.elsewhere
        if there is None or not there.name.strip():
            return
        pieces: list[Piece] = []
        if self.kind is LetterKind.DOCUMENT_ACCESS_PASSED_ON:
            pieces.append(Paragraph(self._document_access()))
        key = "elsewhere.passed_on" if there.passed_on else "elsewhere.not_passed_on"
        pieces.append(Paragraph(say(key, name=_line(there.name))))
        if there.contact.strip():
            pieces.append(Paragraph(say("elsewhere.contact", contact=_line(there.contact))))
        yield self._section(Block.ELSEWHERE, "elsewhere", *pieces)

    def _document_access(self) -> str:
        profile = self.facts.profile
        if profile.body_type is BodyType.COMPANY:
            return self.words.say("document_access.company")
        return self.words.say(f"document_access.{profile.country.value}")

    def _not_covered(self) -> Iterator[Section]:
        text = self.words.say("not_covered.text")
        yield self._section(Block.NOT_COVERED, "not_covered", Paragraph(text))

    def _disclosure(self) -> Iterator[Section]:
        say, facts = self.words.say, self.facts.disclosure
        if facts is None:
            return
        happened = say("disclosure.text", day=self._day(facts.on))
        words = self._own_words(facts.what)
        yield Section(
            Block.HAPPENED,
            say("disclosure.happened"),
            (Paragraph(happened), *words) if words else (),
        )
        yield Section(
            Block.CONSEQUENCES,
            say("disclosure.consequences"),
            tuple(self._own_words(facts.consequences)),
        )
        measures = self._own_words(facts.measures)
        advice = f"{say('disclosure.advice')} {self._law_of('disclosure.law', 'GDPR Art. 34')}"
        yield Section(
            Block.MEASURES,
            say("disclosure.measures"),
            (*measures, Paragraph(advice)) if measures else (),
        )

    def _own_words(self, words: str | None) -> list[Piece]:
        return [Words(_clean(words))] if words and words.strip() else []

    def _contact(self) -> Iterator[Section]:
        profile = self.facts.profile
        channels = [
            channel
            for channel in profile.channels
            if channel.kind is not ChannelKind.OFFICER_EMAIL or not profile.officer_contact
        ]
        # A policy may name no way at all; then the letter's own sender is one.
        if not channels and profile.sender:
            channels = [ContactChannel(ChannelKind.EMAIL, profile.sender)]
        if channels:
            yield self._section(
                Block.CONTACT, "contact", Items(tuple(self._channel(c) for c in channels))
            )
        if profile.officer_contact and self.kind is not LetterKind.IDENTITY_CODE:
            officer = self.words.say("contact.officer", address=profile.officer_contact)
            yield Section(Block.OFFICER, "", (Paragraph(officer),))

    def _channel(self, channel: ContactChannel) -> str:
        return self.words.say(f"contact.{channel.kind.value}", address=channel.address)

    # Small words

    @property
    def _case(self) -> str:
        return _line(self.facts.case_reference)

    @property
    def _controller(self) -> str:
        return self.facts.profile.controller.name

    @property
    def _authority(self) -> Authority:
        return authority(self.facts.profile.country)

    @property
    def _received(self) -> str:
        return self._day(self.facts.received_on) if self.facts.received_on else ""

    @property
    def _changed(self) -> bool:
        return any(outcome.outcome in _CHANGES for outcome in self.outcomes)

    @property
    def _exported(self) -> bool:
        return any(outcome.outcome is Outcome.EXPORTED for outcome in self.outcomes)

    def _greeting(self) -> str:
        name = _line(self.facts.greeting_name or "")
        # A code goes to an address; who reads it there is what the code is to show. What comes
        # years later may reach anybody.
        if name and self.kind not in {LetterKind.IDENTITY_CODE, LetterKind.HOLD_RELEASED}:
            return self.words.say("greeting.named", name=name)
        return self.words.say("greeting.plain")

    def _category(self, id_: str) -> str:
        profile = self.facts.profile
        known = next((c for c in profile.categories if c.id == id_), None)
        if known is None:
            raise DomainError(f"category {id_!r} has no name in profile {profile.id}: add it there")
        return short(in_language(known.name, self.facts.language, profile))

    def _system(self, id_: str) -> str:
        if id_ == OWN_SYSTEM:
            return self.words.say("done.own_system")
        profile = self.facts.profile
        known = next((s for s in profile.systems if s.id == id_), None)
        if known is None:
            raise DomainError(f"system {id_!r} has no name in profile {profile.id}: add it there")
        return known.name

    def _cited(self, law: str) -> str:
        return cited(law, self.facts.language)

    def _law_of(self, key: str, law: str) -> str:
        return self.words.say(key, law=self._cited(law))

    def _day(self, day: date) -> str:
        return written_date(day, self.facts.language)

    def _section(self, block: Block, key: str, *pieces: Piece) -> Section:
        return Section(block, self.words.say(f"{key}.heading"), pieces)


_Part = Callable[[Writer], Iterator[Section]]
_ENDING: tuple[_Part, ...] = (Writer._complaint, Writer._remedy, Writer._contact)
_OPENING: tuple[_Part, ...] = (Writer._lead, Writer._message)
_REFUSED: tuple[_Part, ...] = (*_OPENING, Writer._not_done, Writer._decided_by)

_PARTS: Mapping[LetterKind, tuple[_Part, ...]] = {
    LetterKind.ACKNOWLEDGEMENT: (
        *_OPENING,
        Writer._acknowledgement,
        Writer._complaint,
        Writer._contact,
    ),
    LetterKind.IDENTITY_CODE: (Writer._identity_code, Writer._contact),
    LetterKind.ANSWER: (*_OPENING, Writer._answer, Writer._decided_by, Writer._others, *_ENDING),
    LetterKind.PARTIAL_REFUSAL: (
        *_OPENING,
        Writer._answer,
        Writer._not_done,
        Writer._decided_by,
        Writer._others,
        *_ENDING,
    ),
    LetterKind.REFUSAL: (*_REFUSED, *_ENDING),
    LetterKind.CANNOT_IDENTIFY: (*_REFUSED, Writer._way_back, Writer._way_in, *_ENDING),
    LetterKind.NO_RESPONSE: (
        *_OPENING,
        Writer._asked_on,
        Writer._question,
        Writer._not_done,
        Writer._decided_by,
        Writer._way_back,
        *_ENDING,
    ),
    LetterKind.OBJECTION_UPHELD: (
        *_OPENING,
        Writer._answer,
        Writer._decided_by,
        Writer._others,
        *_ENDING,
    ),
    LetterKind.OBJECTION_DISMISSED: (*_REFUSED, *_ENDING),
    LetterKind.IDENTITY_QUESTION: (
        *_OPENING,
        Writer._why_asked,
        Writer._ways,
        Writer._reply_by,
        Writer._contact,
    ),
    LetterKind.AUTHORITY_QUESTION: (
        *_OPENING,
        Writer._why_asked,
        Writer._question,
        Writer._reply_by,
        Writer._contact,
    ),
    LetterKind.CLARIFICATION: (*_OPENING, Writer._question, Writer._reply_by, Writer._contact),
    LetterKind.QUESTION_REMINDER: (
        *_OPENING,
        Writer._asked_on,
        Writer._question,
        Writer._ways,
        Writer._reply_by,
        Writer._contact,
    ),
    LetterKind.EXTENSION: (
        *_OPENING,
        Writer._new_date,
        Writer._reasons,
        Writer._complaint,
        Writer._contact,
    ),
    LetterKind.FEE_ANNOUNCED: (
        *_OPENING,
        Writer._fee,
        Writer._reasons,
        Writer._reply_by,
        Writer._decided_by,
        *_ENDING,
    ),
    LetterKind.RECIPIENTS: (
        Writer._reference,
        Writer._message,
        Writer._recipients_named,
        Writer._contact,
    ),
    LetterKind.RESTRICTION_LIFTED: (
        Writer._reference,
        Writer._message,
        Writer._reasons,
        Writer._lifted_on,
        Writer._complaint,
        Writer._contact,
    ),
    LetterKind.HOLD_RELEASED: (Writer._released,),
    LetterKind.CLOSED: (
        *_OPENING,
        Writer._reasons,
        Writer._way_back,
        Writer._complaint,
        Writer._contact,
    ),
    LetterKind.CUSTOMER_SERVICE_PASSED_ON: (
        *_OPENING,
        Writer._elsewhere,
        Writer._way_back,
        Writer._contact,
    ),
    LetterKind.DOCUMENT_ACCESS_PASSED_ON: (
        *_OPENING,
        Writer._elsewhere,
        Writer._way_back,
        Writer._contact,
    ),
    LetterKind.OTHER_CONTROLLER: (*_OPENING, Writer._elsewhere, Writer._decided_by, *_ENDING),
    LetterKind.DECEASED: (*_OPENING, Writer._not_covered, Writer._way_back, Writer._contact),
    LetterKind.DISCLOSURE_NOTICE: (
        Writer._reference,
        Writer._disclosure,
        Writer._message,
        *_ENDING,
    ),
}
"""What each letter is made of, in the order in which it is read."""

_REASONS = {
    LetterKind.EXTENSION: "extension",
    LetterKind.FEE_ANNOUNCED: "fees",
    LetterKind.RESTRICTION_LIFTED: "lifting",
    LetterKind.CLOSED: "closing_because",
}
_REPLY_WORDS = {LetterKind.QUESTION_REMINDER, LetterKind.FEE_ANNOUNCED}
_LAWS = {
    LetterKind.CANNOT_IDENTIFY: "GDPR Art. 11(2), 12(2)",
    LetterKind.NO_RESPONSE: "GDPR Art. 12(2), 12(6)",
    LetterKind.OBJECTION_DISMISSED: "GDPR Art. 21(1)",
}
"""What such a refusal rests on, where whoever decides names nothing else."""

_APPEALABLE = frozenset(
    {
        Right.ACCESS,
        Right.RECTIFICATION,
        Right.ERASURE,
        Right.RESTRICTION,
        Right.PORTABILITY,
        Right.OBJECTION,
        Right.OBJECTION_TO_MARKETING,
    }
)
"""Art. 15 to 21, as dataskyddslagen 7:2 names them."""

_AT_ONCE = {Right.OBJECTION_TO_MARKETING: "marketing", Right.WITHDRAWAL: "withdrawal"}
_CHANGE_WHAT_OTHERS_HOLD = frozenset({Right.ERASURE, Right.RECTIFICATION, Right.RESTRICTION})
_CHANGES = frozenset(
    {
        Outcome.ERASED,
        Outcome.ANONYMISED,
        Outcome.RECTIFIED,
        Outcome.RESTRICTED,
        Outcome.SUPPRESSED,
        Outcome.MANUAL,
    }
)


def _merged(outcomes: Iterable[CategoryOutcome]) -> tuple[CategoryOutcome, ...]:
    """Sorts of record are the systems' business: what differs only in count is said once."""
    counts: dict[CategoryOutcome, int] = {}
    for outcome in outcomes:
        alike = replace(outcome, count=0)
        counts[alike] = counts.get(alike, 0) + outcome.count
    return tuple(replace(alike, count=count) for alike, count in counts.items())


def _paragraphs(texts: Iterable[str]) -> tuple[Piece, ...]:
    return tuple(Paragraph(text) for text in texts)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _line(text: str) -> str:
    return " ".join(_clean(text).split())


def _clean(text: str) -> str:
    """The text without what could hide or reorder other text; line breaks stay."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c == "\n" or unicodedata.category(c) not in _HIDDEN).strip()


# Control and format characters (bidirectional overrides are among them), lone surrogates.
_HIDDEN = frozenset({"Cc", "Cf", "Cs"})
