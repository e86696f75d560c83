"""What three hundred requests of six months were about: drawn by a seed, the same every time.

The shape is what an organisation of this size sees: more after a season opens, most of it answered
well in time, and a little of everything that can go wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from adapters.demo.past.people import invent
from adapters.demo.past.plan import Plan
from adapters.demo.past.staff import HANDLERS
from adapters.demo.world import NORWEGIAN, SWEDISH
from domain.vocabulary import Channel, Country, Language, Right

SEED = 30
DAYS = 183

_R = Right
_CLOSED: tuple[tuple[str, tuple[Right, ...], int], ...] = (
    ("plain", (_R.ACCESS,), 75),
    ("plain", (_R.ERASURE,), 61),
    ("plain", (_R.ACCESS, _R.ERASURE), 14),
    ("plain", (_R.OBJECTION_TO_MARKETING,), 24),
    ("plain", (_R.WITHDRAWAL,), 8),
    ("plain", (_R.RECTIFICATION,), 10),
    ("plain", (_R.RESTRICTION,), 4),
    ("plain", (_R.PORTABILITY,), 7),
    ("plain", (_R.OBJECTION,), 5),
    ("plain", (_R.TRANSFER_SAFEGUARDS,), 2),
    ("paused", (_R.ACCESS,), 9),
    ("silent", (_R.ACCESS,), 4),
    ("silent", (_R.ERASURE,), 3),
    ("extended", (_R.ACCESS,), 5),
    ("outage", (_R.ACCESS,), 4),
    ("outage", (_R.ERASURE,), 4),
    ("bounced", (_R.ERASURE,), 4),
    ("unopened", (_R.ACCESS,), 4),
    ("withdrawn", (_R.ERASURE,), 6),
    ("reclassified", (_R.ACCESS,), 2),
    ("reclassified", (_R.ERASURE,), 2),
    ("mistyped", (_R.ACCESS,), 4),
    ("refused", (_R.ACCESS,), 3),
    ("excessive", (_R.ACCESS,), 2),
    ("declined", (_R.ERASURE,), 1),
    ("represented", (_R.ACCESS,), 4),
    ("claimed", (_R.ERASURE,), 3),
    ("no-request", (), 8),
)
"""Story, rights and how often, among what is over by now."""

_OPEN: tuple[tuple[str, tuple[Right, ...], int], ...] = (
    ("unjudged", (_R.ACCESS,), 33),
    ("unjudged", (_R.ERASURE,), 27),
    ("proposed", (_R.ACCESS,), 24),
    ("unanswered", (_R.ACCESS,), 21),
    ("failing", (_R.ERASURE,), 19),
    ("unsearched", (_R.ACCESS,), 15),
    ("unjudged", (_R.ACCESS, _R.ERASURE), 12),
    ("unproven", (_R.ERASURE,), 9),
    ("unjudged", (_R.RECTIFICATION,), 8),
    ("unsearched", (_R.PORTABILITY,), 6),
    ("unproven", (_R.ACCESS,), 3),
)
"""Story, rights and how many days ago, of what somebody has to do today."""

_LEAST = {"silent": 32, "extended": 80, "unopened": 45, "paused": 34, "declined": 34}
"""How many days a story takes at least to be over."""

_SHORTEST = 12
_STANDING = {_R.RECTIFICATION: 55, _R.OBJECTION: 55, _R.RESTRICTION: 95}
"""What is restricted meanwhile is so until two weeks after the answer."""

_BY_MAIL = {"bounced", "unopened", "mistyped", "paused", "silent", "represented"}
"""What takes an address for mail."""

_LATE = {"plain": 12, "paused": 2}
"""So many of a story, among access and erasure, are answered after the day to aim for."""


def plans(began: datetime) -> tuple[Plan, ...]:
    """What is still open comes first, so that whoever is in a hurry finds something to do."""
    chance = Random(SEED)  # noqa: S311 (nothing here is secret)
    opened = list(_drawn_open(chance, began))
    closed = list(_drawn_closed(chance, began, len(opened)))
    chance.shuffle(closed)
    return (*opened, *closed)


def chance_of(plan: Plan) -> Random:
    """What a life draws its own chances from: the same wherever it is asked."""
    return Random(f"{SEED}-{plan.number}")  # noqa: S311 (nothing here is secret)


def _drawn_open(chance: Random, began: datetime) -> Iterator[Plan]:
    for number, (story, rights, days) in enumerate(_OPEN, start=1):
        arrives = began - timedelta(days=days, minutes=chance.randint(10, 300))
        yield _plan(chance, number, story, rights, arrives, pace=400, is_open=True)


def _drawn_closed(chance: Random, began: datetime, after: int) -> Iterator[Plan]:
    late, number = dict(_LATE), after
    for story, rights, times in _CLOSED:
        for _ in range(times):
            number += 1
            pace, least = _pace(chance, story, rights), _LEAST.get(story, _SHORTEST)
            least = max([least, *(_STANDING.get(right, 0) for right in rights)])
            if (
                rights in {(_R.ACCESS,), (_R.ERASURE,)}
                and late.get(story, 0)
                and chance.random() < 0.25
            ):
                late[story] -= 1
                pace = chance.randint(31, 41)
                least = pace + 9
            elif pace == 0:
                least = 3
            # More people ask in autumn than before the summer: of two draws the later one.
            ago = min(chance.uniform(least, DAYS), chance.uniform(least, DAYS * 2))
            if 0 < pace < least and least == _SHORTEST:
                pace = min(pace, int(ago) - 9)
            yield _plan(chance, number, story, rights, began - timedelta(days=ago), pace=pace)


def _pace(chance: Random, story: str, rights: tuple[Right, ...]) -> int:
    if any(right.acts_at_once for right in rights):
        return 0
    if story == "extended":
        return chance.randint(45, 66)
    if len(rights) > 1:
        return chance.randint(6, 16)
    return min(27, max(3, round(chance.gauss(14, 6))))


def _plan(
    chance: Random,
    number: int,
    story: str,
    rights: tuple[Right, ...],
    arrives: datetime,
    *,
    pace: int,
    is_open: bool = False,
) -> Plan:
    controller = NORWEGIAN if chance.random() < 0.64 else SWEDISH
    country = Country.NO if controller == NORWEGIAN else Country.SE
    channel = _channel(chance, story, rights)
    handlers = HANDLERS[controller]
    return Plan(
        number=number,
        controller=controller,
        country=country,
        person=invent(number, controller, chance),
        language=_language(chance, country),
        channel=channel,
        rights=rights,
        story=story,
        arrives=_waking(arrives, country, chance),
        pace=pace,
        handler=chance.choices(handlers, range(len(handlers), 0, -1))[0],
        namesake=is_open or story == "mistyped" or chance.random() < 0.15,
        is_open=is_open,
    )


def _channel(chance: Random, story: str, rights: tuple[Right, ...]) -> Channel:
    if Right.RECTIFICATION in rights or story in {
        "bounced",
        "unopened",
        "mistyped",
        "paused",
        "silent",
        "represented",
    }:
        return chance.choices((Channel.MAIL, Channel.PORTAL), (3, 1))[0]
    if story in {"no-request", "reclassified", "unproven", "unanswered"}:
        return Channel.MAIL
    channels = (*("mail", "portal", "phone", "post", "desk", "api"),)
    return Channel(chance.choices(channels, (56, 20, 8, 6, 4, 6))[0])


def _language(chance: Random, country: Country) -> Language:
    weights = (74, 13, 4, 9) if country is Country.NO else (4, 0, 86, 10)
    return chance.choices((Language.NB, Language.NN, Language.SV, Language.EN), weights)[0]


def _waking(at: datetime, country: Country, chance: Random) -> datetime:
    """An hour of that day at which people write."""
    zone = ZoneInfo(country.zone)
    hour = chance.choices(range(7, 23), (2, 4, 6, 7, 6, 5, 5, 5, 4, 4, 4, 4, 5, 5, 4, 2))[0]
    local = at.astimezone(zone).replace(hour=hour, minute=chance.randint(0, 59))
    return local.astimezone(at.tzinfo)
