"""Writes the blocks of every kind of letter from its facts (GDPR Art. 12, 15, 19, 34, 77 to 79)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from domain.authorities import appeals_to_administrative_court
from domain.letters import Block, Code, Group, Items, Letter, Link, Paragraph, Piece, Section, Words
from domain.policy import BodyType, ChannelKind, ContactChannel
from domain.vocabulary import LetterKind, Right
from services.field_names import field_name
from services.letter_looks import Closing
from services.letter_outcomes import OutcomeWriter
from services.letter_pen import clean, line, paragraphs, sentence
from services.wording import in_language


@dataclass(frozen=True)
class Writer(OutcomeWriter):
    """Writes the parts of one letter, in their order, from its facts."""

    def letter(self) -> Letter:
        sections = [section for section in self._sections() if section.is_said]
        if lines := self.closing().lines:
            sections.append(Section(Block.CONTROLLER, "", paragraphs(lines)))
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

    def _sections(self) -> Iterator[Section]:
        for part in _PARTS[self.kind]:
            yield from part(self)

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
            yield self._section(Block.MESSAGE, "message", Words(clean(self.facts.free_text)))

    def _lead_key(self) -> str:
        given = self._changed or self._exported
        if self.kind is LetterKind.PARTIAL_REFUSAL and not given:
            return "refusal"
        if self.kind is LetterKind.CLARIFICATION and self.facts.erasure_table:
            return "erasure-table"
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

    def _followed(self) -> Iterator[Section]:
        if self.facts.link_url:
            yield Section(Block.LINK, "", tuple(self._link("code.follow_only")))

    def _answer_by(self) -> Iterator[str]:
        say, dates = self.words.say, self.facts.deadlines
        if dates is not None and dates.statutory_due is not None:
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
                pieces.append(
                    Link(facts.link_url, say("code.follow" if facts.follows else "code.link"))
                )
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
        yield from self._not_searched()

    def _not_searched(self) -> Iterator[Section]:
        """That a log knows nobody by what was given, and what to send instead (GK-14)."""
        if not self.facts.unsearchable:
            return
        systems = [s for s in self.facts.profile.systems if s.id in self.facts.unsearchable]
        kinds = dict.fromkeys(kind for system in systems for kind in system.searched_by)
        names = [field_name(kind.value, self.facts.language) for kind in kinds]
        yield self._section(
            Block.NOT_SEARCHED,
            "not_searched",
            Paragraph(self.words.say("not_searched.text")),
            Items(tuple(self._system(system) for system in self.facts.unsearchable)),
            Paragraph(self.words.say("not_searched.send", what=self.words.listed(names))),
            Paragraph(self._law_of("not_searched.law", "GDPR Art. 11(2)")),
        )

    def _not_done(self) -> Iterator[Section]:
        pieces: list[Piece] = []
        if self.kind is LetterKind.OBJECTION_DISMISSED and self.facts.purposes:
            pieces.append(Group(self.words.say("objection.goes_on"), self._purposes()))
        yield self._section(Block.NOT_DONE, "not_done", *pieces, *self._explanations())

    def _decided_by(self) -> Iterator[Section]:
        if self.facts.decided_by and self.facts.decided_by.strip():
            decided = self.words.say(
                "decided.text", name=line(self.facts.decided_by), controller=self._controller
            )
            yield self._section(Block.DECIDED_BY, "decided", Paragraph(decided))

    def _others(self) -> Iterator[Section]:
        if _CHANGE_WHAT_OTHERS_HOLD.intersection(self.facts.rights) or self.facts.recipients:
            yield self._section(Block.RECIPIENTS, "recipients", *self._recipients())

    def _recipients_named(self) -> Iterator[Section]:
        yield self._section(Block.RECIPIENTS, "recipients", *self._recipients())

    # The ways on

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
            key = "silent" if self.facts.erasure_table else "no_need"
            pieces.append(Paragraph(say(f"question.{key}")))
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

    def _asked_on(self) -> Iterator[Section]:
        if self.facts.asked_on:
            asked = self.words.say(f"asked.{self.kind.value}", day=self._day(self.facts.asked_on))
            yield Section(Block.ASKED_ON, "", (Paragraph(asked),))

    def _reply_by(self) -> Iterator[Section]:
        if self.facts.reply_by is None:
            return
        key = self.kind.value if self.kind in _REPLY_WORDS else "question"
        if self.kind is LetterKind.QUESTION_REMINDER and self.facts.erasure_table:
            key = "erasure-table"
        text = self.words.say(f"reply_by.{key}", day=self._day(self.facts.reply_by))
        yield self._section(Block.REPLY_BY, "reply_by", Paragraph(text))

    # Time, money, and what ends

    def _reasons(self) -> Iterator[Section]:
        key = _REASONS[self.kind]
        said = [self._coded(key, code) for code in self.facts.reasons]
        pieces: list[Piece] = [Items(tuple(said))] if len(said) > 1 else list(paragraphs(said))
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
            fee = self.words.say("fee.text", fee=line(self.facts.fee))
            law = self._law_of("fee.law", "GDPR Art. 12(5)(a)")
            yield self._section(Block.FEE, "fee", Paragraph(f"{fee} {law}"))

    def _lifted_on(self) -> Iterator[Section]:
        if self.facts.lift_on:
            key = "lifted.rest" if "objection-upheld" in self.facts.reasons else "lifted.text"
            text = self.words.say(key, day=self._day(self.facts.lift_on))
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
        pieces.append(Paragraph(say(key, name=line(there.name))))
        if there.contact.strip():
            pieces.append(Paragraph(say("elsewhere.contact", contact=line(there.contact))))
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
        happened = sentence(say("disclosure.text", day=self._day(facts.on)))
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

    def _greeting(self) -> str:
        name = line(self.facts.greeting_name or "")
        # A code goes to an address; who reads it there is what the code is to show. What comes
        # years later may reach anybody.
        if name and self.kind not in {LetterKind.IDENTITY_CODE, LetterKind.HOLD_RELEASED}:
            return self.words.say("greeting.named", name=name)
        return self.words.say("greeting.plain")


_Part = Callable[[Writer], Iterator[Section]]
_ENDING: tuple[_Part, ...] = (Writer._complaint, Writer._remedy, Writer._contact)
_OPENING: tuple[_Part, ...] = (Writer._lead, Writer._message)
_REFUSED: tuple[_Part, ...] = (*_OPENING, Writer._not_done, Writer._decided_by)

_PARTS: Mapping[LetterKind, tuple[_Part, ...]] = {
    LetterKind.ACKNOWLEDGEMENT: (
        *_OPENING,
        Writer._acknowledgement,
        Writer._followed,
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
    LetterKind.CLARIFICATION: (
        *_OPENING,
        Writer._question,
        Writer._followed,
        Writer._reply_by,
        Writer._contact,
    ),
    LetterKind.QUESTION_REMINDER: (
        *_OPENING,
        Writer._asked_on,
        Writer._question,
        Writer._ways,
        Writer._reply_by,
        Writer._contact,
    ),
    LetterKind.MESSAGE: (Writer._reference, Writer._message, Writer._contact),
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
