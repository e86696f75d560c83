"""The pages that the desk's head leads to, for whoever may open them; the open one is marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from fastapi import Request

from domain.access import Permission

ENTRIES: tuple[tuple[str, str, tuple[Permission, ...]], ...] = (
    ("/desk", "worklist.title", (Permission.SEE,)),
    ("/desk/tasks", "my_tasks.title", (Permission.TASKS,)),
    ("/desk/inbox", "inbox.title", (Permission.SEE,)),
    ("/desk/cases", "all_cases.title", (Permission.SEE,)),
    ("/board", "board.title", (Permission.BOARD,)),
    ("/desk/holds", "keeping.all_title", (Permission.SEE,)),
    ("/desk/findings", "findings.title", (Permission.SEE,)),
    ("/desk/staff", "staff.title", (Permission.SEE,)),
    ("/desk/admin", "admin.title", (Permission.OPERATE, Permission.ADOPT, Permission.AUDIT)),
)
"""Each page, the key of its title, and the permissions that open it: any one of them."""
OUTBOX = ("/outbox", "outbox.title", (Permission.REVEAL,))
TOUR = ("/tour", "tour.title", (Permission.SEE,))


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
    def may(self, permission: Permission) -> bool: ...


def menu(desk: AtWork) -> Iterator[Entry]:
    here = desk.request.url.path
    is_tried_out = desk.request.app.state.demo_token is not None
    first, last = (TOUR,) if is_tried_out else (), (OUTBOX,) if desk.has_outbox else ()
    for address, title, opened_by in (*first, *ENTRIES, *last):
        if any(map(desk.may, opened_by)):
            yield Entry(address, title, is_open=here == address)
