"""What a connector's author says of the connected system, so that the kit can try it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from domain.vocabulary import IdentifierKind
from services.ports import Identifier, Person


@dataclass(frozen=True, slots=True)
class Somebody:
    email: str
    name: str
    phone: str

    @property
    def person(self) -> Person:
        """Control of the address was proven, the rest was only said."""
        return Person(
            (
                Identifier(IdentifierKind.EMAIL, self.email, verified=True),
                Identifier(IdentifierKind.NAME, self.name),
                Identifier(IdentifierKind.PHONE, self.phone),
            )
        )


class World:
    """One connected system, filled for a test.

    `url` is where the connector is to reach it: the tests put a wire of their own in between.
    `suppresses_over_http` says that it takes calls to stop marketing. `more_than_a_page` is how
    many records of one person no single answer can hold.
    """

    connector: ClassVar = ""
    """The connector's name, where the kit has several worlds for one."""
    needs: ClassVar = ""
    """A fixture whose value is handed over as `given`."""
    over_http: ClassVar = False
    suppresses_over_http: ClassVar = False
    from_files: ClassVar = False
    finds: ClassVar = True
    more_than_a_page: ClassVar = 0

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.given: object = None

    def configuration(self, url: str) -> Mapping[str, str]:
        raise NotImplementedError

    def plant(self, who: Somebody, *, records: int = 1) -> None:
        """Everything that the system can hold about somebody, `records` times what repeats."""
        raise NotImplementedError

    def kept(self) -> Any:
        """All that the system holds; two of them are equal when nothing happened in between."""
        raise NotImplementedError

    def put_back(self, kept: Any) -> None:
        raise NotImplementedError

    def next_page(self, number: int) -> object:
        """An answer to the first thing `find` lists that says: there is another page."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing was opened."""
