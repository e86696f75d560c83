"""Tries a connected system before it goes live: with nobody, and with a golden person.

Nobody is made up for the occasion under a domain that can have no mailbox (RFC 2606), so that no
real person's data is asked for or shown; whom a golden person is, the system's options say.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from itertools import islice
from uuid import uuid4

import structlog

from adapters.outbound.database import Database
from adapters.outbound.tokens import Tokens
from domain.instruction import Contract, Instruction, Said
from domain.vocabulary import IdentifierKind
from services.controllers import Controllers
from services.golden import golden_person
from services.instructing import Instructions
from services.ports import (
    AwaitsAnswer,
    AwaitsPerson,
    Connector,
    Identifier,
    NotSetUp,
    Person,
    Record,
    Refused,
    Systems,
    Unavailable,
)

MOST = 5

log = structlog.get_logger()


class Tried(Enum):
    ANSWERS = "answers"
    WAITS = "waits"
    FINDS_STRANGERS = "finds-strangers"
    BY_HAND = "by-hand"
    NOT_SET_UP = "not-set-up"
    AWAY = "away"
    REFUSES = "refuses"
    BROKEN = "broken"


class Missing(Enum):
    """What is to be seen to before a system goes live."""

    TOKEN = "token"  # noqa: S105 (a word for what is missing)
    """Nobody made a token with which it could fetch and answer."""
    DELIVERY = "delivery"
    """What it is told does not arrive: no address, no secret, a certificate that is another's."""
    ANSWER = "answer"
    GOLDEN_PERSON = "golden-person"
    """It found nobody: enter the golden person there, or name one of theirs in its options."""
    READ_BACK = "read-back"
    """It cannot be searched again at once, so nobody can see that an erasure was done."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it, how long it took, whom it found, and what is missing, if anything is."""

    tried: Tried
    milliseconds: int = 0
    reason: str = ""
    matches: int | None = None
    missing: tuple[Missing, ...] = ()
    is_over: bool = True
    """Whether nothing more can come by waiting."""


class Trials:
    """Trials of every kind of system, for the command line and the page of systems."""

    def __init__(
        self,
        database: Database,
        controllers: Controllers,
        systems: Systems,
        instructions: Instructions,
        tokens: Tokens,
    ) -> None:
        self._database, self._controllers, self._systems = database, controllers, systems
        self._instructions, self._tokens = instructions, tokens

    def attempt(self, controller: str, system: str) -> Trial:
        """Ask it now; one that is told is told, and `state` says what came of it."""
        known = self._controllers.in_force(controller).system(system)
        trial = try_system(self._systems, controller, system, golden=golden_person(known))
        if trial.tried is not Tried.WAITS:
            return trial
        self._instructions.try_out(controller, system, of=uuid4())
        return self.state(controller, system) or trial

    def state(self, controller: str, system: str) -> Trial | None:
        """What came of the last trial of a system that is told; None where there was none."""
        tried = self._instructions.tried(controller, system)
        return self._of(controller, system, tried) if tried else None

    def _of(self, controller: str, system: str, tried: tuple[Instruction, ...]) -> Trial:
        search, *_ = tried
        comes_to_us = search.delivery is not Contract.OPENDSR  # that one is asked, and calls nobody
        has_token = not comes_to_us or self._tokens.has_system(controller, system)
        missing = [] if has_token else [Missing.TOKEN]
        over = all(not one.is_open for one in tried)
        if search.answered_at is None:
            code = self._undelivered(search)
            if code is not None:
                missing.append(Missing.DELIVERY)
            missing.append(Missing.ANSWER)
            return Trial(Tried.WAITS, reason=code or "", missing=tuple(missing), is_over=over)
        if search.said is Said.NOTHING_HELD:
            missing.append(Missing.GOLDEN_PERSON)
        if any(one.said is not search.said for one in tried):
            missing.append(Missing.READ_BACK)
        return Trial(
            Tried.FINDS_STRANGERS if search.strangers else _SAID.get(search.said, Tried.ANSWERS),
            max(_took(one) for one in tried),
            matches=search.shown,
            missing=tuple(missing),
            is_over=over,
        )

    def _undelivered(self, instruction: Instruction) -> str | None:
        """Why what has to be brought there did not arrive, as the newest try has it."""
        if not instruction.delivery.is_delivered:
            return None
        rows = self._database.ask(
            "SELECT code, status FROM trettio.deliveries WHERE instruction = %s"
            " ORDER BY id DESC LIMIT 1",
            [instruction.id],
        )
        for code, status in rows:
            return None if status is not None and 200 <= status < 300 else str(code)
        return "not-tried"


_SAID: Mapping[Said | None, Tried] = {Said.NEEDS_PERSON: Tried.BY_HAND}


def try_system(
    systems: Systems, controller: str, system: str, *, golden: Person | None = None
) -> Trial:
    """Search it for nobody, and, if it finds no strangers, for the golden person, and again."""
    begun = time.monotonic()

    def took() -> int:
        return round((time.monotonic() - begun) * 1000)

    try:
        connector = systems.connector(controller, system)
        if _few(connector.find(_nobody())):
            # Whoever does not exist has no records: one that finds some gives away others'.
            return Trial(Tried.FINDS_STRANGERS, took())
        milliseconds = took()
        if golden is None:
            return Trial(Tried.ANSWERS, milliseconds)
        return _with_golden(connector, golden, milliseconds)
    except AwaitsAnswer:
        return Trial(Tried.WAITS, is_over=False)
    except AwaitsPerson:
        return Trial(Tried.BY_HAND)
    except NotSetUp as error:
        return Trial(Tried.NOT_SET_UP, reason=error.reason)
    except Unavailable as error:
        return Trial(Tried.AWAY, took(), error.reason)
    except Refused as error:
        return Trial(Tried.REFUSES, took(), error.reason)
    except Exception as error:  # a connector's own mistake is shown as one, not as a broken page
        log.warning("trial_failed", system=system, controller=controller, exc_info=error)
        return Trial(Tried.BROKEN, took(), type(error).__name__)


def _with_golden(connector: Connector, golden: Person, milliseconds: int) -> Trial:
    matches = len(list(connector.find(golden)))
    missing = [] if matches else [Missing.GOLDEN_PERSON]
    try:
        again = len(list(connector.find(golden, fresh_after=datetime.now(UTC))))
    except AwaitsPerson:
        again = -1
    if again != matches:
        missing.append(Missing.READ_BACK)
    return Trial(Tried.ANSWERS, milliseconds, matches=matches, missing=tuple(missing))


def _few(found: Iterator[Record]) -> int:
    return len(list(islice(found, MOST)))


def _took(instruction: Instruction) -> int:
    end = instruction.answered_at or instruction.given_at
    return round((end - instruction.given_at).total_seconds() * 1000)


def _nobody() -> Person:
    name = f"nobody-{secrets.token_hex(8)}"
    return Person((Identifier(IdentifierKind.EMAIL, f"{name}@trettio.example", verified=True),))
