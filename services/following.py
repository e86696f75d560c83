"""Following: the person sees how far it is, and after a code what was written (GDPR Art. 12(2)).

The link from the mail shows how far and why; a code to the address opens the rest for an hour. A
code proves control of the address it was sent to, and of nothing else (Art. 12(6)).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from hashlib import sha256
from uuid import UUID, uuid5

from domain.case import Case, CaseStatus
from domain.errors import NotAllowedNow
from domain.policy import Profile
from domain.request import DataSubjectRequest, Status
from domain.staff import DATA_SUBJECT
from domain.vocabulary import Compartment, IdentifierKind, LetterKind, Right
from services import dossier
from services.controllers import Controllers
from services.correcting import Correcting
from services.identity import Identity
from services.links import FOLLOWING, link_to
from services.matching import normal
from services.ports import Also, Clock, CodeCheck, Codes, Limit, Limits, Links, Vault
from services.postroom import Postroom
from services.refusing import Refusing
from services.register import Register, again_on_conflict
from services.replies import Replies
from services.wording import LETTERS, wording

BRIDGED = frozenset({Right.ERASURE, Right.RECTIFICATION, Right.OBJECTION})
"""What takes time to decide, while the data could be kept and not used."""
OPENED = "following-opened"
CODE_VALID_FOR = timedelta(minutes=30)
OPEN_FOR = timedelta(hours=1)
MOST_CODES_AN_HOUR = 5
MOST_MESSAGES_AN_HOUR = 20
MOST_SHOWN = 50
LONGEST_MESSAGE = 10_000


class TooOften(Exception):
    """So much came that no more is taken for a while; other ways stand open."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("too much was sent; wait, or write by mail or post")
        self.wait = wait


class Stage(Enum):
    """How far a request is, as the person would say it."""

    READ = "read"
    IDENTITY = "identity"
    SEARCH = "search"
    QUESTION = "question"
    DECISION = "decision"
    WRITING = "writing"
    FETCH = "fetch"
    ANSWERED = "answered"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    ELSEWHERE = "elsewhere"

    @property
    def is_over(self) -> bool:
        return self in {Stage.ANSWERED, Stage.REFUSED, Stage.WITHDRAWN, Stage.ELSEWHERE}


_STAGES = {
    Status.RECEIVED: Stage.IDENTITY,
    Status.VERIFIED: Stage.SEARCH,
    Status.COLLECTED: Stage.DECISION,
    Status.APPROVED: Stage.WRITING,
    Status.ANSWERED: Stage.ANSWERED,
    Status.FULFILLED: Stage.ANSWERED,
    Status.REFUSED: Stage.WRITING,
    Status.REFERRED: Stage.ELSEWHERE,
    Status.WITHDRAWN: Stage.WITHDRAWN,
    Status.CLOSED: Stage.ANSWERED,
}


def stage_of(request: DataSubjectRequest) -> Stage:
    """How far it is; nothing in it tells whether anything about the person was found."""
    if request.status is Status.CLOSED:
        if request.refusal is not None:
            return Stage.REFUSED
        return Stage.ANSWERED if request.answered_at is not None else Stage.WITHDRAWN
    if request.status is Status.FULFILLED and request.right.gives_a_copy:
        return Stage.FETCH
    if request.status.is_open and request.awaits_clarification:
        return Stage.QUESTION
    return _STAGES[request.status]


@dataclass(frozen=True, slots=True)
class Written:
    """One thing that was said: by the person, or in a letter of ours."""

    at: datetime
    kind: LetterKind | None
    """None: the person wrote it."""
    text: str


class Following:
    """What whoever asked can see and do through the link."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        controllers: Controllers,
        identity: Identity,
        replies: Replies,
        refusing: Refusing,
        correcting: Correcting,
        postroom: Postroom,
        codes: Codes,
        links: Links,
        limits: Limits,
        clock: Clock,
        *,
        address: str,
    ) -> None:
        self._register, self._vault, self._controllers = register, vault, controllers
        self._identity, self._replies, self._refusing = identity, replies, refusing
        self._correcting = correcting
        self._postroom, self._codes, self._links = postroom, codes, links
        self._limits = limits
        self._clock, self._address = clock, address.rstrip("/")

    # The way in

    def invite(self, case: Case, profile: Profile, address: str, *, at: datetime) -> list[Also]:
        """A mail with a code and the link, for the save of whatever changed the case."""
        code, written = self._codes.issue(case.id, valid_for=CODE_VALID_FOR)
        url, linked = link_to(self._links, case.id, self._address)
        letter = self._postroom.identity_code(
            case,
            profile,
            address,
            code=code,
            valid_for=CODE_VALID_FOR,
            language=case.language,
            link=url,
            follows=True,
            at=at,
        )
        return [*written, *linked, *letter]

    def behind(self, secret: str) -> Case | None:
        """The case that a link leads to; None when it ended, with what it would show."""
        link = self._links.follow(secret, purpose=FOLLOWING)
        case = self._register.find_case(link.subject_id) if link is not None else None
        if case is None or any(
            one.compartment is Compartment.CORRESPONDENCE
            for one in self._vault.destructions(case.id)
        ):
            return None
        return case

    @again_on_conflict
    def send_code(self, case_id: UUID) -> None:
        """Send a code to the address of whoever asked; whoever presses learns nothing from it."""
        if self._codes.issued(case_id, within=timedelta(hours=1)) >= MOST_CODES_AN_HOUR:
            return
        case = self._register.case(case_id)
        address = self._address_of(case)
        if address is None:
            return
        code, written = self._codes.issue(case_id, valid_for=CODE_VALID_FOR)
        letter = self._postroom.identity_code(
            case,
            self._controllers.in_force(case.controller),
            address,
            code=code,
            valid_for=CODE_VALID_FOR,
            language=case.language,
            at=self._clock(),
        )
        self._register.save_all([case], [*written, *letter])

    def open(self, case_id: UUID, typed: str) -> tuple[CodeCheck, str]:
        """Try a code; a right one proves the address, and opens the page with a secret."""
        case = self._register.case(case_id)
        if case.status is CaseStatus.CONFIRMED and self._identity.waits(case):
            check = self._identity.check_code(case_id, typed)
        else:
            check = self._codes.check(case_id, typed)
            if check is CodeCheck.RIGHT:
                self._prove(case_id)
        if check is not CodeCheck.RIGHT:
            return check, ""
        reader = self._reader(self._register.case(case_id))
        secret, written = self._links.issue(reader, purpose=OPENED, valid_for=OPEN_FOR)
        self._register.save_all([], written)
        return check, secret

    @again_on_conflict
    def _prove(self, case_id: UUID) -> None:
        """Remember it until somebody has read the case; a case that was read knows already."""
        case = self._register.case(case_id)
        case.prove_address(at=self._clock())
        self._register.save_all([case], [self._codes.use(case_id)])

    def is_open(self, case: Case, opened: str) -> bool:
        """Whether a code was entered here lately, for the address that the case has today."""
        link = self._links.follow(opened, purpose=OPENED) if opened else None
        return link is not None and link.subject_id == self._reader(case)

    def _reader(self, case: Case) -> UUID:
        """Whoever reads the mail of one address, for one case; another address is another one."""
        address = normal(IdentifierKind.EMAIL, self._address_of(case) or "")
        return uuid5(case.id, self._vault.digest(case.id, f"reader/{address}"))

    def _address_of(self, case: Case) -> str | None:
        if case.person is None:
            message = dossier.MESSAGE.validate_json(self._vault.open(case.message))
            return message.sender_address or None
        addresses = self._identity.asker(case).all(IdentifierKind.EMAIL)
        return addresses[0] if addresses else None

    # What is shown

    def is_ones_own(self, case: Case) -> bool:
        """Whether whoever asked asks for themself, so that what was found is theirs to see."""
        representation = self._register.find_representation(case.id)
        return representation is None or not representation.asks_for_another

    def requests(self, case: Case) -> tuple[DataSubjectRequest, ...]:
        return self._register.requests_of(case)

    def written(self, case: Case) -> tuple[Written, ...]:
        """Everything that was said, the newest first; of codes only that they were sent."""
        address = self._address_of(case) or ""
        reader = normal(IdentifierKind.EMAIL, address)
        said = sorted(
            (*self._theirs(case, reader), *self._ours(case, reader)), key=lambda one: one.at
        )
        return tuple(reversed(said[-MOST_SHOWN:]))

    def _theirs(self, case: Case, reader: str) -> Iterator[Written]:
        refs = case.messages[-MOST_SHOWN:]
        for ref, sealed in zip(refs, self._vault.open_each(refs), strict=True):
            message = dossier.MESSAGE.validate_json(sealed)
            if message.text.strip() and _is_theirs(message.sender_address, reader):
                yield Written(case.arrivals.get(ref, case.received_at), None, message.text)

    def _ours(self, case: Case, reader: str) -> Iterator[Written]:
        left = [one for one in case.letters.values() if one.id in case.left]
        shown = [one for one in left if one.kind is not LetterKind.IDENTITY_CODE][-MOST_SHOWN:]
        sealed = self._vault.open_each(one.text for one in shown)
        for letter, content in zip(shown, sealed, strict=True):
            written = dossier.LETTER.validate_json(content)
            if _is_theirs(written.recipient or "", reader):
                yield Written(case.left[letter.id], letter.kind, written.text)

    def questions(self, case: Case) -> tuple[str, ...]:
        """What we asked and were not told yet, each once."""
        open_ones = [
            request
            for request in self.requests(case)
            if request.question is not None and request.awaits_clarification
        ]
        asked = (
            dossier.note_in(self._vault, one.question)
            for one in open_ones
            if one.question is not None
        )
        return tuple(dict.fromkeys(asked))

    # What is done

    def write(self, case_id: UUID, text: str, key: UUID) -> None:
        """A message into the case; the same form sent twice is one message."""
        wait = self._limits.spend(
            (Limit("follow/message", str(case_id), MOST_MESSAGES_AN_HOUR, timedelta(hours=1)),)
        )
        if wait is not None:
            raise TooOften(wait)
        digest = sha256(f"follow/{case_id}/{key}".encode()).hexdigest()
        self._replies.add_words(case_id, text[:LONGEST_MESSAGE], digest)

    def can_restrict(self, case: Case) -> bool:
        """Whether something is asked that a restriction could bridge, and none is yet (Art. 18)."""
        return Right.RESTRICTION not in case.rights and any(
            request.right in BRIDGED and request.status.is_open for request in self.requests(case)
        )

    def restrict(self, case_id: UUID) -> None:
        """Ask that nothing is used meanwhile: a message of theirs, and the right that it names."""
        case = self._register.case(case_id)
        if not self.can_restrict(case):
            return
        words = wording(LETTERS, case.language).say(f"rights.{Right.RESTRICTION.value}")
        digest = sha256(f"follow/{case_id}/restrict".encode()).hexdigest()
        self._replies.add_words(case_id, words, digest)
        last = len(self._register.case(case_id).messages) - 1
        self._correcting.add_right(case_id, right=Right.RESTRICTION, by=DATA_SUBJECT, message=last)

    def withdraw(self, case_id: UUID, request_id: UUID) -> None:
        """The person takes a request back; what has been done stays done."""
        case = self._register.case(case_id)
        if request_id not in case.request_ids:
            raise NotAllowedNow("there is no such request in this case")
        self._refusing.withdraw(request_id, by=DATA_SUBJECT)


def _is_theirs(address: str, reader: str) -> bool:
    """Whether it went to, or came from, the very address that the code was sent to.

    What was written on the page itself, or on paper, stands under no address.
    """
    return not address or normal(IdentifierKind.EMAIL, address) == reader
