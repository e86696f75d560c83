"""Commands that may be repeated, and commands that insist on what their sender has seen.

`Idempotency-Key` may be sent with every POST (draft-ietf-httpapi-idempotency-key-header): the first
answer to a key is given again, and its effect exists once, because both are one transaction. What
was refused had no effect and is kept under no key. `If-Match` (RFC 9110, 13.1.1) holds at the
moment of saving: a command is not carried out on a state that its sender has not seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from pydantic_core import to_json

from adapters.bootstrap import Installation
from adapters.inbound.api.auth import Installed, Token, require_scope
from adapters.outbound.idempotency import Answer
from adapters.outbound.tokens import Bearer, Scope
from domain.belonging import OF_A_CASE, aggregates_of
from domain.errors import DomainError
from services.ports import Also

DIGESTS = UUID("0c3f5f0e-6f5b-4d53-9a39-0b8e8cbb5f2e")
MOST_KEY_CHARACTERS = 255
_KEY = re.compile(r'"([\x20\x21\x23-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255})')

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=MOST_KEY_CHARACTERS + 2,
        description="Any word of your own, new for every command: a command that is sent again "
        "under it, with the same body, is answered as before and has no second effect.",
        examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ),
]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=1_000,
        description="The `ETag` of the state that you have seen; 412 if it is another by now.",
        examples=['"2b1f7c0d9e8a4c55b6d7e8f901234567"'],
    ),
]


class KeyWrong(Exception):
    """An idempotency key that is none."""


class Stale(Exception):
    """The state is another than the one that the command was meant for."""


# The state of a case


def versions_of(installation: Installation, case_id: UUID) -> Mapping[UUID, int]:
    """How far everything of a case is, what is about to be saved included."""
    saving = installation.register.saving
    case = saving.get(case_id)
    if case is not None and case.is_unsaved:
        # Its first save is that of everything it has; nobody needs to be asked.
        return {one.id: one.version for one in saving.values() if isinstance(one, OF_A_CASE)}
    ids = aggregates_of(case_id)
    stored = installation.versions.of(list(ids))
    return {one: saving[one].version if one in saving else stored[one] for one in ids}


def etag(versions: Mapping[UUID, int]) -> str:
    text = ",".join(sorted(f"{one}/{version}" for one, version in versions.items() if version))
    return f'"{sha256(text.encode()).hexdigest()[:32]}"'


def show_state(installation: Installation, case_id: UUID, response: Response) -> None:
    """Say which state an answer shows. Asked before it is read: at worst it is an older one."""
    response.headers["ETag"] = etag(versions_of(installation, case_id))


# Commands


class Command:
    """One POST: who sends it, under which key, and what they have seen."""

    def __init__(
        self,
        installation: Installation,
        bearer: Bearer,
        request: Request,
        key: str | None,
        if_match: str | None,
    ) -> None:
        self.bearer = bearer
        self._installation, self._request = installation, request
        self._key, self._if_match = _word(key), if_match
        self._body = b""

    async def read(self) -> None:
        if self._key is not None:
            self._body = await self._request.body()

    def carry_out(
        self,
        act: Callable[[], object],
        answer: Callable[[], object],
        *,
        of: UUID | None = None,
        status: HTTPStatus = HTTPStatus.OK,
        location: str | None = None,
        writes: Sequence[Also] = (),
    ) -> Response:
        """Act and answer, or answer as before. `of` is the case whose state the command changes.

        The answer is made in the midst of the save, from what is about to be saved. `writes` are
        the effect of a command that saves no events.
        """
        if self._key is None:
            return _response(self._act(act, answer, of, status, location, writes))
        with self._installation.idempotency.alone_with(
            self.bearer.id, self._key, self._digest
        ) as before:
            return _response(before or self._act(act, answer, of, status, location, writes))

    def _act(
        self,
        act: Callable[[], object],
        answer: Callable[[], object],
        of: UUID | None,
        status: HTTPStatus,
        location: str | None,
        writes: Sequence[Also],
    ) -> Answer:
        expected = self._expected(of)
        answers: list[Answer] = []

        def more() -> list[Also]:
            headers = {}
            if of is not None:
                headers["ETag"] = etag(versions_of(self._installation, of))
            if location is not None:
                headers["Location"] = location
            answers.append(Answer(status, to_json(answer()).decode(), headers))
            also: list[Also] = []
            if expected is not None:
                also.append(self._installation.versions.required(expected))
            if self._key is not None:
                also.append(
                    self._installation.idempotency.used(
                        self.bearer.id, self._key, self._digest, answers[-1]
                    )
                )
            return also

        with self._installation.register.joining(more) as joining:
            try:
                act()
            except DomainError as error:
                # A rule may have said no to a state that the sender has not seen.
                if of is None or expected in (None, versions_of(self._installation, of)):
                    raise
                raise Stale from error
        if not joining.saved:
            also = [*writes, *more()]
            if also:
                self._installation.database.run(*also)
        return answers[-1]

    def _expected(self, of: UUID | None) -> Mapping[UUID, int] | None:
        """The versions that the sender insists on, if they are still these."""
        if of is None or self._if_match is None or self._if_match.strip() == "*":
            return None
        now = versions_of(self._installation, of)
        if etag(now) not in [tag.strip() for tag in self._if_match.split(",")]:
            raise Stale
        return now

    @cached_property
    def _digest(self) -> bytes:
        """Of all that was sent, keyed: a body may be short enough to be guessed."""
        url = self._request.url
        sent = sha256(f"{self._request.method} {url.path}?{url.query}\n".encode() + self._body)
        return bytes.fromhex(self._installation.vault.digest(DIGESTS, sent.hexdigest()))


def creating(scope: Scope) -> Callable[..., Coroutine[None, None, Command]]:
    """A dependency for commands that begin something, or that no case's state matters to."""

    async def command(
        request: Request, installation: Installed, _token: Token, key: Key = None
    ) -> Command:
        bearer = require_scope(request, scope)
        made = Command(installation, bearer, request, key, None)
        await made.read()
        return made

    return command


def changing(scope: Scope) -> Callable[..., Coroutine[None, None, Command]]:
    """A dependency for commands on a case."""

    async def command(
        request: Request,
        installation: Installed,
        _token: Token,
        key: Key = None,
        if_match: IfMatch = None,
    ) -> Command:
        bearer = require_scope(request, scope)
        made = Command(installation, bearer, request, key, if_match)
        await made.read()
        return made

    return command


InboxCommand = Annotated[Command, Depends(creating(Scope.INBOX))]
NewCommand = Annotated[Command, Depends(creating(Scope.DESK))]
FindCommand = Annotated[Command, Depends(creating(Scope.READ))]
DeskCommand = Annotated[Command, Depends(changing(Scope.DESK))]
SystemCommand = Annotated[Command, Depends(creating(Scope.SYSTEM))]
AdminCommand = Annotated[Command, Depends(creating(Scope.ADMIN))]


def _word(key: str | None) -> str | None:
    """The key, with or without the quotes that structured fields put around a text (RFC 8941)."""
    if key is None:
        return None
    found = _KEY.fullmatch(key.strip())
    if found is None:
        raise KeyWrong
    return found[1] or found[2]


def _response(answer: Answer) -> Response:
    return Response(
        answer.body,
        status_code=answer.status,
        headers=dict(answer.headers),
        media_type="application/json",
    )
