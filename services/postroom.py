"""Postroom: letters are written, sealed and queued here; a worker or a person sends them.

A letter is sealed in the vault before it leaves, so what was sent can be shown for as long as the
correspondence is kept. Without an address it waits to be printed and posted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from domain.case import Case
from domain.deadlines import received_on
from domain.explanation import written_date
from domain.personal import PersonalRef
from domain.policy import ChannelKind, Profile
from domain.request import DataSubjectRequest
from domain.values import QueuedLetter
from domain.vocabulary import Channel, Compartment, Language, LetterKind, Outcome
from services import dossier
from services.addressees import Addressees, address_of
from services.letter_looks import template
from services.letters import ComposedLetter, IdentityStep, LetterFacts, compose
from services.ports import Also, Person, Task, Tasks, Threads, Vault
from services.wording import LETTERS, wording

LEAVES_AT_ONCE = frozenset(
    {
        LetterKind.ACKNOWLEDGEMENT,
        LetterKind.IDENTITY_CODE,
        LetterKind.QUESTION_REMINDER,
        LetterKind.RESTRICTION_LIFTED,
        LetterKind.HOLD_RELEASED,
    }
)
"""What nobody would call back: it tells of no decision, or somebody waits for it."""


class Postroom:
    """Writes letters into cases. What it returns belongs into the save of the case."""

    def __init__(
        self,
        vault: Vault,
        tasks: Tasks,
        threads: Threads,
        addressees: Addressees,
        *,
        undo_within: timedelta = timedelta(),
    ) -> None:
        self._undo_within = undo_within
        self._vault, self._tasks, self._threads = vault, tasks, threads
        self._addressees = addressees

    def acknowledge(
        self,
        case: Case,
        requests: Sequence[DataSubjectRequest],
        profile: Profile,
        person: Person,
        *,
        at: datetime,
        free_text: str | None = None,
        link: str | None = None,
    ) -> list[Also]:
        """Say that it arrived, what was understood, and by when the answer comes."""
        dated = [request for request in requests if request.right.is_statutory]
        facts = LetterFacts(
            profile=profile,
            language=case.language,
            case_reference=case.reference,
            received_on=requests[0].received_on,
            rights=tuple(request.right for request in requests),
            deadlines=dated[0].dates if dated else None,
            identity=_identity_step(requests),
            act_by=next((r.act_by for r in requests if r.act_by), None),
            free_text=free_text,
            link_url=link,
        )
        return self.queue(
            case,
            compose(LetterKind.ACKNOWLEDGEMENT, facts),
            profile,
            address_of(person),
            requests=tuple(request.id for request in requests),
            at=at,
        )

    def identity_code(
        self,
        case: Case,
        profile: Profile,
        address: str,
        *,
        code: str,
        valid_for: timedelta,
        language: Language,
        link: str | None = None,
        follows: bool = False,
        at: datetime,
    ) -> list[Also]:
        """Send a code to an address; not a word about whether anything is known there."""
        facts = LetterFacts(
            profile=profile,
            language=language,
            case_reference=case.reference,
            code=code,
            code_minutes=int(valid_for.total_seconds() // 60),
            link_url=link,
            follows=follows,
        )
        letter = compose(LetterKind.IDENTITY_CODE, facts)
        return self.queue(case, letter, profile, address, requests=(), at=at)

    def queue(
        self,
        case: Case,
        letter: ComposedLetter,
        profile: Profile,
        address: str | None,
        *,
        requests: tuple[UUID, ...],
        explains: tuple[Outcome, ...] = (),
        documents: tuple[PersonalRef, ...] = (),
        attached: bool = False,
        at: datetime,
    ) -> list[Also]:
        """Seal a letter, record it in the case, and have it sent; or it waits to be printed."""
        content = dossier.SealedLetter(
            kind=letter.kind,
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            sender=sender_of(profile),
            recipient=self._addressees.of_letter(case, letter.kind, address),
            in_reply_to=self._in_reply_to(case),
            documents=documents,
            paper=letter.document(case.reference),
        )
        return self._queue(case, content, requests, explains, at, attached=attached)

    def pass_on(
        self, case: Case, kind: LetterKind, profile: Profile, to: str, *, at: datetime
    ) -> list[Also]:
        """Send the messages of a case, as they were written, to who has to answer them."""
        say = wording(LETTERS, profile.language).say
        day = written_date(received_on(case.received_at, profile.country), profile.language)
        sealed = self._vault.open_each(case.messages)
        written = [dossier.MESSAGE.validate_json(one) for one in sealed]
        intro = say("forwarded.intro", controller=profile.controller.name, day=day)
        parts = [f"{one.sender_name} <{one.sender_address}>\n\n{one.text}" for one in written]
        text = "\n\n---\n\n".join([intro, *parts])
        content = dossier.SealedLetter(
            kind=kind,
            subject=say("forwarded.subject", case=case.reference),
            text=text,
            html=template("forwarded.html").render(text=text, language=profile.language.value),
            sender=sender_of(profile),
            recipient=to,
            in_reply_to=None,
        )
        return self._queue(case, content, (), (), at)

    def _queue(
        self,
        case: Case,
        letter: dossier.SealedLetter,
        requests: tuple[UUID, ...],
        explains: tuple[Outcome, ...],
        at: datetime,
        *,
        attached: bool = False,
    ) -> list[Also]:
        address = letter.recipient
        sealed = self._vault.seal(
            case.id, Compartment.CORRESPONDENCE, dossier.LETTER.dump_json(letter)
        )
        letter_id = uuid5(case.id, f"letter/{case.version}/{letter.kind.value}")
        case.queue_letter(
            letter=QueuedLetter(
                id=letter_id,
                kind=letter.kind,
                text=sealed.ref,
                requests=requests,
                printed=address is None,
                explains=explains,
                attached=attached,
            ),
            at=at,
        )
        also = list(sealed.also)
        if address is not None:
            leaves_at = at if letter.kind in LEAVES_AT_ONCE else at + self._undo_within
            also.append(self._tasks.add(letter_task(case, letter_id, at=leaves_at)))
            also.append(self._threads.letter(case.id, letter_id))
        return also

    def _in_reply_to(self, case: Case) -> str | None:
        # What comes ready made is saved with its first letter, and has no Message-ID.
        if case.channel is not Channel.MAIL or case.is_unsaved:
            return None
        message = dossier.MESSAGE.validate_json(self._vault.open(case.message))
        return message.message_id


def letter_task(case: Case, letter_id: UUID, *, at: datetime, again: str = "") -> Task:
    return Task(
        key=f"letter/{letter_id}/{again}" if again else f"letter/{letter_id}",
        kind="send-letter",
        subject_id=case.id,
        due_at=at,
        controller=case.controller,
        payload={"letter": str(letter_id)},
    )


def sender_of(profile: Profile) -> str:
    """The address letters come from: the profile's sender, or its first e-mail channel."""
    if profile.sender:
        return profile.sender
    mail = {ChannelKind.EMAIL, ChannelKind.OFFICER_EMAIL}
    return next((c.address for c in profile.channels if c.kind in mail), "")


def _identity_step(requests: Sequence[DataSubjectRequest]) -> IdentityStep:
    if all(request.is_identified for request in requests):
        return IdentityStep.NOT_NEEDED
    return IdentityStep.IF_IN_DOUBT
