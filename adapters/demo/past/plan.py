"""What is to happen in one life of the past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.vocabulary import Channel, Country, Language, Right


@dataclass(frozen=True, slots=True)
class Invented:
    """Somebody who never was. `number` sets them apart from namesakes."""

    number: int
    name: str
    email: str
    phone: str
    street: str
    city: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One life: `story` names what happens, `pace` the days until it is answered."""

    number: int
    controller: str
    country: Country
    person: Invented
    language: Language
    channel: Channel
    rights: tuple[Right, ...]
    story: str
    arrives: datetime
    pace: int
    handler: str
    namesake: bool = False
    is_open: bool = False
    """Whether somebody has to go on with it today."""
