"""One life of the past: a request, everybody who has to do with it, and the time that passes.

Each step is the command that people give today, at the moment at which they would have given it;
in between the tasks that come due are worked, and each morning the reminders are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from random import Random
from tomllib import loads
from uuid import UUID, uuid5

from adapters.bootstrap import Installation
from adapters.demo.past.days import Days
from adapters.demo.past.moment import Moment
from adapters.demo.past.plan import Plan
from adapters.demo.past.post import Postbox, bounce_of, code_in, host_of, mail_from, secret_in
from adapters.demo.world import World
from adapters.inbound.mail import parse
from domain.fulfilment import SystemState, SystemStatus
from domain.ladder import Doubt
from domain.request import DataSubjectRequest
from domain.vocabulary import (
    Action,
    Channel,
    IdentifierKind,
    IdentityMethod,
    Language,
    LetterKind,
    Outcome,
    Right,
)
from services.intake import Asked, Note
from services.ports import CodeCheck, Identifier, OutgoingMail, Result

BY_POST = frozenset({Channel.POST, Channel.DESK})
"""Ways of asking in which nobody tells an address for mail."""


class Life(Days):
    """Whoever asks and whoever answers, day by day."""

    def __init__(
        self,
        plan: Plan,
        *,
        installation: Installation,
        moment: Moment,
        postbox: Postbox,
        world: World,
        ends: datetime,
        chance: Random,
    ) -> None:
        super().__init__(plan, installation, moment, ends, chance)
        self.world, self.postbox = world, postbox
        postbox.mails.clear()

    # What there is

    @property
    def by(self) -> str:
        return self.plan.handler

    @property
    def words(self) -> dict[str, str]:
        return words()[self.plan.language]

    @property
    def person(self) -> tuple[Identifier, ...]:
        """Who asks, as far as they said."""
        who = self.plan.person
        name = Identifier(IdentifierKind.NAME, who.name)
        if self.plan.channel in BY_POST:
            street = f"{who.street}, 0000 {who.city}"
            return (name, Identifier(IdentifierKind.POSTAL_ADDRESS, street))
        return (Identifier(IdentifierKind.EMAIL, who.email), name)

    # Arrival

    def arrive(self, about: str = "") -> None:
        """The request comes in as its channel has it; the clock starts."""
        plan = self.plan
        self._moment.set(plan.arrives)
        body = self._text(about or "-".join(one.value for one in plan.rights))
        match plan.channel:
            case Channel.MAIL:
                self.write(body)
            case Channel.PHONE | Channel.POST | Channel.DESK:
                note = Note(
                    text=body,
                    sender_name=plan.person.name,
                    sender_address="" if plan.channel in BY_POST else plan.person.email,
                    received_at=plan.arrives,
                    channel=plan.channel,
                    fingerprint=f"demonstration-{plan.number}",
                )
                self.case_id = self.trettio.intake.write_down(plan.controller, note)
            case Channel.PORTAL | Channel.API:
                self.case_id = uuid5(_OURS, f"{plan.controller}-{plan.number}")
                asked = Asked(
                    rights=plan.rights,
                    identifiers=self.person,
                    channel=plan.channel,
                    language=plan.language,
                    text=body,
                )
                self.trettio.intake.take(
                    self.case_id, plan.controller, asked, by=plan.channel.value
                )

    def confirm(self, rights: Sequence[Right] = ()) -> None:
        """Somebody reads it and says what it asks; a form that said so needs no reader."""
        if self.plan.channel not in {Channel.PORTAL, Channel.API}:
            self.office(0)
            self.trettio.intake.confirm(
                self.case.id,
                rights=tuple(rights) or self.plan.rights,
                language=self.plan.language,
                identifiers=self.person,
                by=self.by,
            )
            self._worker.drain()
        open_ones = [one.id for one in self.requests if one.status.is_open]
        if open_ones:  # some are answered before anybody could be given them
            self.trettio.assigning.assign(open_ones, to=self.by, by=self.by)

    def write(self, body: str, *, answers: OutgoingMail | None = None) -> None:
        """A mail from the person, as the controller's server took it."""
        self._deliver(
            mail_from(self.plan, self.words["subject"], body, at=self.now, answers=answers)
        )

    def bounce(self, letter: OutgoingMail) -> None:
        """A mail server says that a letter of ours cannot be delivered (RFC 3464)."""
        self._deliver(bounce_of(self.plan, letter, at=self.now))

    def _deliver(self, raw: bytes) -> None:
        message = parse(raw, trusted_hosts=(host_of(self.plan),), now=self.now)
        case_id = self.trettio.intake.receive(self.plan.controller, message, channel=Channel.MAIL)
        self.case_id = self.case_id or case_id
        self._worker.drain()

    def _text(self, about: str) -> str:
        said, name = self.words, self.plan.person.name
        body = said.get(about) or " ".join(said[one.value] for one in self.plan.rights)
        return f"{said['greeting']}\n\n{body}\n\n{said['closing']}\n{name}\n"

    # Identity

    def ask_who(self) -> None:
        doubt = Doubt.NO_ADDRESS if self._posts else Doubt.UNKNOWN_SENDER
        self.trettio.identity.ask(self.case.id, reason=doubt.value, by=self.by)
        self._worker.drain()

    def prove(self, *, wrong_first: bool = False) -> None:
        """The person enters the code that was sent, or is seen at the counter."""
        if self._posts:
            self.post_letters()
            self.office(self.chance.randint(3, 7))
            self.trettio.identity.verify_by_hand(
                self.case.id, method=IdentityMethod.DOCUMENT_SEEN, by=self.by
            )
        else:
            self.later(minutes=self.chance.randint(2, 22))
            mail = self.postbox.newest("/prove/")
            assert mail is not None
            if wrong_first:
                self.trettio.identity.check_code(self.case.id, "0000 0000")
            check = self.trettio.identity.check_code(self.case.id, code_in(mail))
            assert check is CodeCheck.RIGHT
        self._worker.drain()

    @property
    def _posts(self) -> bool:
        return self.plan.channel in BY_POST

    # Systems and decisions

    def search_by_hand(self) -> None:
        """People look where no connector can."""
        for request in self.requests:
            for system, state in self._waiting(request):
                if state.action is Action.FIND:
                    self.trettio.byhand.found(
                        request.id, system, [], reason="searched-nothing-held", by=self.by
                    )
        self._worker.drain()

    def judge(self) -> None:
        """Weak matches: a namesake's records are not theirs, the rest is."""
        for request in self.requests:
            for found in self.trettio.register.request(request.id).undecided_matches:
                record = self.trettio.deciding.record(found)
                theirs = self.plan.person.email in str(record.fields)
                self.trettio.deciding.decide_match(
                    request.id,
                    found.record_id,
                    theirs=theirs,
                    reason="same-address" if theirs else "namesake",
                    by=self.by,
                )

    def approve(self, right: Right, *, words: str = "") -> None:
        self.judge()
        self.trettio.deciding.approve(
            self.request(right).id, by=self.by, considered=True, words=words
        )
        self._worker.drain()
        self.finish_by_hand(right)

    def finish_by_hand(self, right: Right) -> None:
        """What people do after an approval: erase where no connector can, tell recipients."""
        request = self.request(right)
        for system, state in self._waiting(request):
            match state.action:
                case Action.ERASE:
                    results = {
                        one.record_id: Result(Outcome.ERASED)
                        for one in state.decisions
                        if one.touches_the_system
                    }
                    self.trettio.byhand.erased(
                        request.id, system, results, looked_again=True, by=self.by
                    )
                case Action.RECTIFY:
                    self.trettio.rectifying.done_by_hand(
                        request.id, system, looked_again=True, by=self.by
                    )
                case Action.FIND:
                    continue
                case action:
                    self.trettio.byhand.done(
                        request.id, system, outcome=_DONE.get(action, Outcome.MANUAL),
                        reason="", by=self.by
                    )  # fmt: skip
        self._worker.drain()
        self.post_letters()

    def _waiting(self, request: DataSubjectRequest) -> Iterator[tuple[str, SystemState]]:
        fulfilment = self.trettio.register.find_fulfilment(request.id)
        for system, state in (fulfilment.systems if fulfilment else {}).items():
            if state.status is SystemStatus.WAITING_FOR_PERSON:
                yield system, state

    # Letters

    def post_letters(self) -> None:
        """Print what cannot go by mail, and take it to the post office."""
        case = self.case
        for letter in case.letters.values():
            if letter.printed and letter.id not in case.left:
                self.trettio.answering.letter_left(case.id, letter.id, how="post", by=self.by)
        self._worker.drain()

    def letter(self, kind: LetterKind) -> OutgoingMail | None:
        return next((mail for mail in reversed(self.postbox.mails) if mail.kind is kind), None)

    def fetch(self) -> None:
        """The person opens the link, is sent a code, and takes the copy."""
        mail = self.postbox.newest("/answer/")
        if mail is None:
            return
        secret = secret_in(mail, "answer")
        self.trettio.answering.send_code(secret)
        self._worker.drain()
        self.later(minutes=self.chance.randint(1, 8))
        check, _ = self.trettio.answering.fetch(secret, code_in(self.postbox.mails[-1]))
        assert check is CodeCheck.RIGHT
        self._worker.drain()


@cache
def words() -> dict[Language, dict[str, str]]:
    """What people write, by language."""
    read = loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
    return {Language(language): said for language, said in read.items()}


_OURS = UUID("6f1d7c1e-52a4-5d0a-9e0b-7d1f6f0a3c11")
"""Under which the cases of the past have their ids."""

_DONE = {Action.SUPPRESS: Outcome.SUPPRESSED, Action.INFORM: Outcome.INFORMED}
