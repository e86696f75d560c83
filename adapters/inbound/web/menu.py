"""The pages that the desk's head leads to, the one that is open marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.inbound.web.session import Desk

ENTRIES = (
    ("/desk", "worklist.title"),
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


def menu(desk: Desk) -> Iterator[Entry]:
    here = desk.request.url.path
    for address, title in (*ENTRIES, *((OUTBOX,) if desk.has_outbox else ())):
        yield Entry(address, title, is_open=here == address)
