"""The pages that the desk's head leads to, the one that is open marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from fastapi import Request

ENTRIES = (
    ("/desk", "worklist.title"),
    ("/board", "board.title"),
    ("/desk/holds", "keeping.all_title"),
    ("/desk/findings", "findings.title"),
    ("/desk/staff", "staff.title"),
)
OUTBOX = ("/outbox", "outbox.title")


@dataclass(frozen=True, slots=True)
class Entry:
    """A page by its address, the key of its title, and whether it is the one that is open."""

    address: str
    title: str
    is_open: bool


class AtWork(Protocol):
    """Whoever sits at the desk, as far as the menu goes."""

    @property
    def request(self) -> Request: ...
    @property
    def has_outbox(self) -> bool: ...


def menu(desk: AtWork) -> Iterator[Entry]:
    here = desk.request.url.path
    for address, title in (*ENTRIES, *((OUTBOX,) if desk.has_outbox else ())):
        yield Entry(address, title, is_open=here == address)
