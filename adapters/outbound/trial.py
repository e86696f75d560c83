"""Tries whether a connected system answers, by asking it for a person who does not exist.

The person is made up for the occasion under a domain that can have no mailbox (RFC 2606), so that
no real person's data is asked for or shown.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from enum import Enum
from itertools import islice

import structlog

from domain.vocabulary import IdentifierKind
from services.ports import AwaitsPerson, Identifier, NotSetUp, Person, Refused, Systems, Unavailable

MOST = 5

log = structlog.get_logger()


class Tried(Enum):
    ANSWERS = "answers"
    FINDS_STRANGERS = "finds-strangers"
    BY_HAND = "by-hand"
    NOT_SET_UP = "not-set-up"
    AWAY = "away"
    REFUSES = "refuses"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it, how long it took, and, where something is wrong, what."""

    tried: Tried
    milliseconds: int = 0
    reason: str = ""


def try_system(systems: Systems, controller: str, system: str) -> Trial:
    begun = time.monotonic()

    def took() -> int:
        return round((time.monotonic() - begun) * 1000)

    try:
        connector = systems.connector(controller, system)
        found = len(list(islice(connector.find(_nobody()), MOST)))
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
    # Whoever does not exist has no records: a system that finds some would give away others'.
    return Trial(Tried.FINDS_STRANGERS if found else Tried.ANSWERS, took())


def _nobody() -> Person:
    name = f"nobody-{secrets.token_hex(8)}"
    return Person((Identifier(IdentifierKind.EMAIL, f"{name}@trettio.example", verified=True),))
