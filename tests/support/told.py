"""A system that is told and answers over HTTPS, for walks through instructions and receipts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from fastapi.testclient import TestClient

from adapters.outbound.connectors.told import Told
from adapters.outbound.tokens import Scope
from domain.instruction import Contract, Instruction, InstructionPurpose, Verb
from tests.support.house import NORWAY, ORGANISATIONS, House

MAILING = "mailing"
_CONNECTOR = 'delivery = "connector"\nconnector = "mailchimp"'


@dataclass
class ToldSystem:
    """What stands at the other end: its rows by key, and a client with its own token."""

    house: House
    client: TestClient
    held: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    kind: str = "member"

    def hold(self, address: str, key: str, **fields: Any) -> None:
        self.held[key] = address, {"email": address, **fields}

    def open(self) -> list[UUID]:
        listed = self.client.get("/v1/instructions")
        assert listed.status_code == 200, listed.text
        return [UUID(one["instruction"]) for one in listed.json()]

    def told(self, instruction: UUID) -> dict[str, Any]:
        shown = self.client.get(f"/v1/instructions/{instruction}")
        assert shown.status_code == 200, shown.text
        told: dict[str, Any] = shown.json()["told"]
        return told

    def claim(self, instruction: UUID, *, status: int = 200) -> dict[str, Any]:
        answer = self.client.post(f"/v1/instructions/{instruction}/claim")
        assert answer.status_code == status, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    def say(
        self, instruction: UUID, outcome: str, *, status: int = 200, **more: Any
    ) -> dict[str, Any]:
        body = {"receipt": str(uuid4()), "outcome": outcome, **more}
        answer = self.client.post(f"/v1/instructions/{instruction}/receipt", json=body)
        assert answer.status_code == status, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def obey(self, instruction: UUID) -> dict[str, Any]:
        """Do what is asked, and answer; what one receipt answers is answered by no other."""
        claim = self.claim(instruction)
        wanted = [one["value"] for one in claim["identifiers"]]
        theirs = [key for key, (address, _) in self.held.items() if address in wanted]
        if claim["verb"] == "erase":
            for record in claim["records"]:
                self.held.pop(record["key"])
            records = [{"record": r["record"], "outcome": "erased"} for r in claim["records"]]
            return self.say(instruction, "done", records=records)
        for one in claim["corrections"]:
            self.held[one["key"]][1].update(one["fields"])
        if claim["verb"] == "rectify":
            return self.say(instruction, "done", found=list(self._found(theirs)))
        if not theirs:
            return self.say(instruction, "nothing-held")
        if claim["verb"] in {"find", "read-back"}:
            return self.say(instruction, "found", found=list(self._found(theirs)))
        return self.say(instruction, "done")

    def obey_all(self) -> None:
        """Until nothing is asked any more."""
        while waiting := self.open():
            for one in waiting:
                self.obey(one)
            self.house.work()

    def _found(self, keys: list[str]) -> Iterator[dict[str, Any]]:
        for key in keys:
            yield {
                "key": key,
                "kind": self.kind,
                "matched_by": "email",
                "fields": self.held[key][1],
            }


def tell(house: House, connector: str = "https", *, system: str = MAILING) -> ToldSystem:
    """Have the mailing system of the Norwegian organisation told instead of called."""
    document = told_document(
        (ORGANISATIONS / f"{NORWAY}.toml").read_text(encoding="utf-8"), connector
    )
    house.installation.controllers.adopt(document.encode(), name=NORWAY, by="trettio-tests")
    house.systems.made[NORWAY, system] = Told({})
    return ToldSystem(house, client_of(house, system))


def told_document(document: str, connector: str) -> str:
    """The Norwegian organisation's profile, its mailing system told by this connector."""
    delivery = "kafka" if connector == "kafka" else "webhook"
    assert _CONNECTOR in document
    told = document.replace(_CONNECTOR, f'delivery = "{delivery}"\nconnector = "{connector}"')
    return re.sub(r'(?m)^version = ".*"$', f'version = "told-{connector}"', told, count=1)


def client_of(house: House, system: str, controller: str = NORWAY) -> TestClient:
    token = house.installation.tokens.create(
        name=f"{system} {uuid4()}",
        staff_id=system,
        scopes=frozenset({Scope.SYSTEM}),
        controllers=frozenset({controller}),
        system=system,
    )
    return TestClient(house.client.app, headers={"Authorization": f"Bearer {token}"})


def instructed(house: House) -> UUID:
    """An instruction to a Norwegian system, as a trial gives one."""
    now = house.installation.clock()
    instruction = Instruction(
        controller=NORWAY,
        system=MAILING,
        delivery=Contract.HTTPS,
        verb=Verb.FIND,
        purpose=InstructionPurpose.TEST,
        request_id=None,
        case_id=None,
        right=None,
        key=f"try/{uuid4()}/find",
        due_on=now.date(),
        ends_at=now + timedelta(days=1),
        erased_before=None,
        records=(),
        timestamp=now,
    )
    ledger = house.installation.instruction_ledger
    also = ledger.given(instruction, (), look_at=instruction.ends_at)
    house.installation.register.save_all([instruction], also)
    return instruction.id


@contextmanager
def nothing_saved(house: House) -> Iterator[None]:
    """Nothing may be added to the log in the block."""
    before = house.events()
    yield
    assert house.events() == before
