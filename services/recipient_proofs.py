"""What shows that a recipient was told: how, when, how often, and what it answered (Art. 5(2), 19).

Only ids, days and codes: an instruction with its receipts, a link that was opened with a code, a
connector's own answer, or whoever did it by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from domain.errand import Errand, ErrandAnswer
from domain.fulfilment import Fulfilment, SystemState, SystemStatus
from domain.instruction import Contract, Instruction, Verb
from domain.vocabulary import Action, Delivery, Outcome
from services.errands import Errands
from services.instruction_ledger import InstructionLedger
from services.letter_facts import Reply
from services.planning import RECIPIENT
from services.register import Register


class Way(Enum):
    """How a recipient was told."""

    CONNECTOR = "connector"
    FILE = "file"
    KAFKA = "kafka"
    WEBHOOK = "webhook"
    OPENDSR = "opendsr"
    HTTPS = "https"
    LINK = "link"
    BY_HAND = "by-hand"


@dataclass(frozen=True, slots=True)
class Proof:
    """One time that a recipient was told something, and what came back."""

    line: str
    way: Way
    about: str
    told_at: datetime | None
    seen_at: datetime | None
    answered_at: datetime | None
    answer: str
    tries: int
    id: UUID
    receipts: tuple[UUID, ...] = ()
    names: tuple[str, ...] = ()
    """Whose link it was, as records name them: of several under one line each has its own.

    Personal data: held in memory, for a name may be that of a person.
    """

    @property
    def reply(self) -> Reply | None:
        """What the answer means to the person; None where it is not for them, or there is none."""
        codes = set(self.answer.split(", "))
        return next((reply for reply, known in _REPLIES if codes & known), None)

    @property
    def reference(self) -> str:
        """What somebody who asks can name: the first part of an instruction's or a link's id."""
        return str(self.id).partition("-")[0] if self.way in _REFERRED_TO else ""


def latest(proofs: Sequence[Proof]) -> Proof | None:
    """The last time that somebody was told of what was done; being asked what is held is none."""
    told = [one for one in proofs if one.told_at is not None and one.about not in _ASKING]
    return max(told, key=_when, default=None)


def _when(proof: Proof) -> tuple[bool, datetime]:
    assert proof.told_at is not None
    return proof.answered_at is not None, proof.told_at


class Proofs:
    """Reads them, for the requests of one case."""

    def __init__(self, register: Register, ledger: InstructionLedger, errands: Errands) -> None:
        self._register, self._ledger, self._errands = register, ledger, errands

    def of_request(self, request_id: UUID) -> tuple[Proof, ...]:
        """Every proof of one request; a line without any has been asked nothing yet."""
        fulfilment = self._register.find_fulfilment(request_id)
        if fulfilment is None:
            return ()
        proofs = [*self._instructed(request_id), *self._by_link(request_id)]
        elsewhere = {one.line for one in proofs if one.answered_at is not None}
        proofs += [
            proof
            for line, state in fulfilment.systems.items()
            if line not in elsewhere
            for proof in _directly(fulfilment, line, state)
        ]
        return tuple(proofs)

    def _instructed(self, request_id: UUID) -> Iterator[Proof]:
        for given in self._ledger.of_requests([request_id]):
            yield _of_instruction(self._register.instruction(given))

    def _by_link(self, request_id: UUID) -> Iterator[Proof]:
        for errand in self._errands.of_case([request_id]):
            contact = self._errands.contact_of(errand)
            yield _of_errand(errand, contact.names if contact is not None else ())


def _of_instruction(one: Instruction) -> Proof:
    return Proof(
        line=one.system,
        way=Way.BY_HAND if one.delivery is Contract.PERSON else Way(one.delivery.value),
        about=one.verb.value,
        told_at=one.given_at,
        seen_at=one.fetched_at,
        answered_at=one.answered_at,
        answer=one.said.value if one.said is not None else "",
        tries=1 + one.repeats,
        id=one.id,
        receipts=tuple(sorted(one.receipts)),
    )


def _of_errand(one: Errand, names: tuple[str, ...]) -> Proof:
    return Proof(
        line=one.system,
        way=Way.LINK,
        about=one.action.value,
        told_at=one.sent[0].at if one.sent else None,
        seen_at=one.opened_at,
        answered_at=one.answered_at,
        answer=one.said.value if one.said is not None else "",
        tries=len(one.sent),
        id=one.id,
        names=names,
    )


def _directly(fulfilment: Fulfilment, line: str, state: SystemState) -> Iterator[Proof]:
    """What a connector or a person at the desk did, as the fulfilment itself knows it."""
    is_recipient = line.startswith(RECIPIENT)
    if state.action is Action.FIND or state.status is not SystemStatus.DONE:
        return
    outcomes: Sequence[str] = [one.outcome.value for one in state.outcomes]
    done_as = fulfilment.done_as.get(line)
    at = fulfilment.told_at.get(line.removeprefix(RECIPIENT)) if is_recipient else None
    yield Proof(
        line=line,
        way=_WAYS.get(state.plan.delivery, Way.BY_HAND),
        about=state.action.value,
        told_at=at or state.treated_at,
        seen_at=None,
        answered_at=at or state.treated_at,
        answer=done_as.value if done_as is not None else ", ".join(sorted(set(outcomes))),
        tries=1,
        id=fulfilment.id,
    )


_WAYS = {
    Delivery.CONNECTOR: Way.CONNECTOR,
    Delivery.FILE: Way.FILE,
    Delivery.KAFKA: Way.KAFKA,
    Delivery.WEBHOOK: Way.WEBHOOK,
}
_REFERRED_TO = {Way.KAFKA, Way.WEBHOOK, Way.OPENDSR, Way.HTTPS, Way.LINK}
_ASKING = {Verb.FIND.value, Verb.READ_BACK.value}
_REPLIES = (
    (Reply.KEPT, {ErrandAnswer.KEPT.value, Outcome.KEPT.value}),
    (
        Reply.DONE,
        {
            ErrandAnswer.DONE.value,
            *(
                one.value
                for one in (
                    Outcome.ERASED,
                    Outcome.ANONYMISED,
                    Outcome.RECTIFIED,
                    Outcome.RESTRICTED,
                    Outcome.SUPPRESSED,
                )
            ),
        },
    ),
    (Reply.NOTHING_HELD, {ErrandAnswer.NOTHING_HELD.value, Outcome.NOT_FOUND.value}),
)
"""The first that fits: something kept is told before what was done."""
