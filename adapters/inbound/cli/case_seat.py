"""Who sits at the terminal, what for, and how what happened is told: shared by `trettio case …`.

Words and identifiers come from files or standard input, for a command line is seen by others.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import typer

from adapters.inbound.cli.console import ready, settings_or_stop, stop
from domain.vocabulary import Door, Purpose, Right

if TYPE_CHECKING:
    from adapters.bootstrap import Installation
    from domain.case import Case
    from domain.request import DataSubjectRequest
    from domain.vocabulary import Content

PURPOSES = tuple(one.value for one in Purpose)
"""What somebody of the controller may want to read personal data for (MU-22)."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Who works here, what for they read personal data, and whether they want JSON."""

    staff: str
    purpose: str | None
    as_json: bool


class Seat:
    """One command at the terminal, over an installation that is open for it."""

    def __init__(self, installation: Installation, terminal: Terminal) -> None:
        self.installation, self.terminal = installation, terminal

    @property
    def by(self) -> str:
        return self.terminal.staff

    def case(self, name: str) -> Case:
        """A case by its id or by its reference."""
        from domain.case import reference

        try:
            return self.installation.register.case(UUID(name))
        except ValueError:
            pass
        rows = self.installation.database.fetch(
            "SELECT DISTINCT case_id FROM views.case_members WHERE kind = 'case'"
        )
        wanted = name.strip().upper()
        found = [row["case_id"] for row in rows if reference(row["case_id"]) == wanted]
        if len(found) != 1:
            stop(f"there is no case {name}: give its reference or its id", code=1)
        return self.installation.register.case(found[0])

    def only_right(self, name: str) -> Right:
        """The right that a case asks for, where it is one."""
        case = self.case(name)
        rights = self._rights(case)
        if len(rights) != 1:
            asked = ", ".join(one.value for one in rights)
            stop(f"case {case.reference} asks for {asked}: name the right", code=1)
        return rights[0]

    def request(self, name: str, right: Right) -> DataSubjectRequest:
        case = self.case(name)
        rights = self._rights(case)
        if right not in rights:
            asked = ", ".join(one.value for one in rights)
            stop(f"case {case.reference} does not ask for {right.value}, but for {asked}", code=1)
        return self.installation.register.request(case.request_id(right))

    def _rights(self, case: Case) -> tuple[Right, ...]:
        """What it asks for; what is only proposed is nothing yet."""
        if not case.request_ids:
            stop(f"case {case.reference} asks for nothing yet: confirm it first", code=1)
        return case.rights

    def look_into(self, it: Case | DataSubjectRequest, *what: Content) -> None:
        """Personal data is shown only to who says what for, and every look is recorded."""
        from domain.case import Case

        if self.terminal.purpose is None:
            stop(f"this shows personal data: say what for, with --purpose {'|'.join(PURPOSES)}")
        self.installation.looking.into_case(
            it.id if isinstance(it, Case) else it.case_id,
            it.controller,
            what,
            by=self.by,
            purpose=Purpose(self.terminal.purpose),
            way=Door.CLI,
        )

    @property
    def may_look(self) -> bool:
        return self.terminal.purpose is not None

    # What is told

    def tell_request(self, request: DataSubjectRequest) -> None:
        from adapters.inbound.api.shapes import summary

        newest = self.installation.register.request(request.id)
        self.tell(summary(newest).model_dump(mode="json"))

    def tell_case(self, case_id: UUID) -> None:
        from adapters.inbound.api.cases import shown

        case = self.installation.register.case(case_id)
        self.tell(shown(self.installation, case).model_dump(mode="json"))

    def tell(self, what: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
        """As JSON, or as lines that a person reads."""
        if self.terminal.as_json:
            typer.echo(json.dumps(what, ensure_ascii=False, default=str))
            return
        rows = [what] if isinstance(what, Mapping) else what
        for number, row in enumerate(rows):
            if number:
                typer.echo()
            for name, value in row.items():
                if value not in (None, "", [], {}):
                    typer.echo(f"{name}: {_line(value)}")


@contextmanager
def seated(context: typer.Context) -> Iterator[Seat]:
    """The seat for one command; a rule that says no is said in one line."""
    from domain.errors import DomainError
    from services.ports import Erased, Refused

    with ready(settings_or_stop()) as installation:
        try:
            yield Seat(installation, context.obj)
        except DomainError as error:
            stop(str(error), code=1)
        except Erased:
            stop("the content has been destroyed, as planned", code=1)
        except Refused as error:
            stop(error.reason, code=1)


def read(source: str | None) -> str:
    """What a file holds, or standard input for `-`; nothing where none is named."""
    if source is None:
        return ""
    if source == "-":
        return sys.stdin.read().strip()
    try:
        return Path(source).read_text(encoding="utf-8").strip()
    except OSError as error:
        stop(f"{source} cannot be read ({error.strerror})")


def _line(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}={_line(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_line, value))
    # A terminal obeys control characters; what people wrote must not command it.
    return "".join(c if c.isprintable() else " " for c in str(value))
