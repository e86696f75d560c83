"""The pages that the desk's head leads to, for whoever may open them; the open one is marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    ("/desk/admin", "admin.title", (Permission.OPERATE, Permission.ADOPT, Permission.AUDIT)),
)
"""Each page, the key of its title, and the permissions that open it: any one of them."""
SELDOM: tuple[tuple[str, str, tuple[Permission, ...]], ...] = (
    ("/desk/holds", "keeping.all_title", (Permission.SEE,)),
    ("/desk/errands", "errand_desk.title", (Permission.SEE,)),
    ("/desk/findings", "findings.title", (Permission.SEE,)),
    ("/desk/staff", "staff.title", (Permission.SEE,)),
)
"""What is opened now and then only: a second list, so that the first fits one line."""
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
    is_tried_out = desk.request.app.state.demo_token is not None
    return _opened(desk, (*((TOUR,) if is_tried_out else ()), *ENTRIES))


def seldom(desk: AtWork) -> Iterator[Entry]:
    return _opened(desk, (*SELDOM, *((OUTBOX,) if desk.has_outbox else ())))


def _opened(
    desk: AtWork, entries: Iterable[tuple[str, str, tuple[Permission, ...]]]
) -> Iterator[Entry]:
    here = desk.request.url.path
    for address, title, opened_by in entries:
        if any(map(desk.may, opened_by)):
            yield Entry(address, title, is_open=here == address)
