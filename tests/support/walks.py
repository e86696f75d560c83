"""How each right is carried from a message to its end: one table, walked by every way in.

A way in is the HTTP API or the terminal; what it must offer is `Way`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol
from uuid import UUID

from domain.vocabulary import CoverReason, Right
from tests.support.house import NORWAY, House

TOLD = "Kari ringte om nabo Ole Vik."


class Way(Protocol):
    """What can be done with a case by one way in."""

    house: House

    def confirm(self, case_id: UUID, right: Right, address: str) -> None: ...

    def prove(self, case_id: UUID) -> None: ...

    def systems(self, case_id: UUID, right: Right) -> list[Any]: ...

    def nothing_found(self, case_id: UUID, right: Right, system: str) -> None: ...

    def records(self, case_id: UUID, right: Right) -> list[Any]: ...

    def cover(self, case_id: UUID, right: Right, record_id: str, text: str) -> None: ...

    def wish(self, case_id: UUID, category: str) -> None: ...

    def approve(self, case_id: UUID, right: Right) -> None: ...

    def claim(self, case_id: UUID, record_id: str, field: str, value: str) -> None: ...

    def restrict(self, case_id: UUID) -> None: ...

    def restricted(self, case_id: UUID, system: str) -> None: ...

    def purposes(self, case_id: UUID) -> list[str]: ...

    def stop(self, case_id: UUID, purposes: list[str]) -> None: ...

    def inform(self, case_id: UUID, right: Right, words: str) -> None: ...

    def status(self, case_id: UUID, right: Right) -> str: ...


def carry(way: Way, right: Right) -> UUID:
    """Carry a right from its message to its end; answers the case."""
    house = way.house
    address = f"{right.value}.{type(way).__name__.lower()}@person.example"
    fields = {"email": address, "name": "Kari Testesen", "phone": "40 00 00 00", "note": TOLD}
    house.systems.system(NORWAY, "ticketing").hold(
        address,
        "customer",
        f"{right.value}-{type(way).__name__}",
        fields=fields,
        flags=frozenset({"mentions_others"}),
    )
    house.systems.system(NORWAY, "mailing").hold(address, "member", f"m-{address}")
    case_id = house.receive(f"{right.value} {type(way).__name__}")
    way.confirm(case_id, right, address)
    house.work()
    if not house.installation.register.request(house.case(case_id).request_id(right)).is_identified:
        way.prove(case_id)
        house.work()
    for state in way.systems(case_id, right):
        if state["action"] == "find" and state["waits_for"] == "look-up":
            way.nothing_found(case_id, right, state["system"])
    WALKS[right](way, case_id)
    house.work()
    return case_id


def _copy(way: Way, case_id: UUID, right: Right) -> None:
    for record in way.records(case_id, right):
        if record["mentions_others"]:
            way.cover(case_id, right, record["record_id"], "Ole Vik")
    way.approve(case_id, right)
    way.house.work()
    answering = way.house.installation.answering
    secret = way.house.link("answer").rpartition("/")[2]
    answering.send_code(secret)
    way.house.work()
    _, content = answering.fetch(secret, way.house.newest_code())
    assert content[:2] == b"PK"


def _access(way: Way, case_id: UUID) -> None:
    _copy(way, case_id, Right.ACCESS)


def _portability(way: Way, case_id: UUID) -> None:
    _copy(way, case_id, Right.PORTABILITY)


def _erasure(way: Way, case_id: UUID) -> None:
    way.wish(case_id, "newsletter")
    way.approve(case_id, Right.ERASURE)


def _rectification(way: Way, case_id: UUID) -> None:
    (record,) = (
        one for one in way.records(case_id, Right.RECTIFICATION) if one["system"] == "ticketing"
    )
    way.claim(case_id, record["record_id"], "name", "Kari Testesdotter")


def _restriction(way: Way, case_id: UUID) -> None:
    way.restrict(case_id)
    way.house.work()
    request_id = way.house.case(case_id).request_id(Right.RESTRICTION)
    restriction = way.house.installation.register.restriction(request_id)
    for system, state in restriction.systems.items():
        if state.waits_for:
            way.restricted(case_id, system)


def _objection(way: Way, case_id: UUID) -> None:
    way.stop(case_id, way.purposes(case_id))


def _by_itself(way: Way, case_id: UUID) -> None:
    """It acts the same working day, and nobody is asked for anything (Art. 7(3), 21(3))."""


def _in_words(right: Right) -> Callable[[Way, UUID], None]:
    return lambda way, case_id: way.inform(case_id, right, "Her er svaret.")


WALKS: Mapping[Right, Callable[[Way, UUID], None]] = {
    Right.ACCESS: _access,
    Right.ERASURE: _erasure,
    Right.PORTABILITY: _portability,
    Right.RECTIFICATION: _rectification,
    Right.RESTRICTION: _restriction,
    Right.OBJECTION: _objection,
    Right.OBJECTION_TO_MARKETING: _by_itself,
    Right.WITHDRAWAL: _by_itself,
    Right.HUMAN_REVIEW: _in_words(Right.HUMAN_REVIEW),
    Right.INFORMATION_SECURITY: _in_words(Right.INFORMATION_SECURITY),
    Right.TRANSFER_SAFEGUARDS: _in_words(Right.TRANSFER_SAFEGUARDS),
}

BECAUSE = CoverReason.OTHER_PERSON.value
