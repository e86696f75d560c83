"""What a process must know to read the log: every kind of value that an event has ever held."""

from __future__ import annotations

from dataclasses import is_dataclass
from enum import Enum
from inspect import isclass
from types import ModuleType

from eventsourcing.persistence import JSONTranscoder

import domain.balancing
import domain.case
import domain.deadlines
import domain.errand
import domain.folder
import domain.identity_providers
import domain.information
import domain.instruction
import domain.looks
import domain.rectification
import domain.representation
import domain.request_state
import domain.restriction
import domain.values
from adapters.outbound.transcodings import register_all


def teach(transcoder: JSONTranscoder) -> None:
    register_all(
        transcoder,
        domain.deadlines.Deadlines,
        *_values(domain.values),
        *_enums(domain.request_state),
        *_enums(domain.case),
        *_enums(domain.folder),
        *_enums(domain.errand),
        *_enums(domain.representation),
        *_values(domain.rectification),
        *_values(domain.restriction),
        *_values(domain.balancing),
        *_values(domain.information),
        *_values(domain.instruction),
        *_enums(domain.looks),
        *_enums(domain.identity_providers),
    )


def _values(module: ModuleType) -> list[type]:
    return [
        member
        for member in vars(module).values()
        if isclass(member)
        and member.__module__ == module.__name__
        and (is_dataclass(member) or issubclass(member, Enum))
    ]


def _enums(module: ModuleType) -> list[type]:
    return [member for member in _values(module) if issubclass(member, Enum)]
