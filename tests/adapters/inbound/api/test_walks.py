"""Every right from its message to its end over `/v1`, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from adapters.outbound.tokens import Scope
from domain.vocabulary import Right
from tests.support.asking import Clock
from tests.support.house import House, open_house
from tests.support.walks import BECAUSE, carry


@dataclass
class Api:
    """A system of the controller's that handles cases with a token."""

    house: House
    client: TestClient

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: object) -> Any:
        answer = self.client.post(path, json=body)
        assert answer.status_code < 300, (path, answer.text)
        return answer.json()

    def _at(self, case_id: UUID, right: Right) -> str:
        case = self.get(f"/v1/cases/{case_id}")
        (found,) = (one for one in case["requests"] if one["right"] == right.value)
        return f"/v1/requests/{found['request_id']}"

    def confirm(self, case_id: UUID, right: Right, address: str) -> None:
        identifiers = [{"kind": "email", "value": address}]
        body = {"rights": [right.value], "language": "nb", "identifiers": identifiers}
        self.post(f"/v1/cases/{case_id}/confirm", body)

    def prove(self, case_id: UUID) -> None:
        self.post(f"/v1/cases/{case_id}/identity/ask", {"reason": "unknown-sender"})
        self.house.work()
        tried = self.post(f"/v1/cases/{case_id}/identity/code", {"code": self.house.newest_code()})
        assert tried == {"result": "right"}

    def systems(self, case_id: UUID, right: Right) -> list[Any]:
        return list(self.get(f"{self._at(case_id, right)}/systems"))

    def nothing_found(self, case_id: UUID, right: Right, system: str) -> None:
        body = {"found": [], "reason": "searched-nothing-held"}
        self.post(f"{self._at(case_id, right)}/systems/{system}/answer", body)

    def records(self, case_id: UUID, right: Right) -> list[Any]:
        return list(self.get(f"{self._at(case_id, right)}/records"))

    def cover(self, case_id: UUID, right: Right, record_id: str, text: str) -> None:
        body = {"field": "note", "text": text, "reason": BECAUSE}
        self.post(f"{self._at(case_id, right)}/records/{record_id}/cover", body)

    def wish(self, case_id: UUID, category: str) -> None:
        parts = [{"category": category, "grounds": ["b"]}]
        self.post(f"{self._at(case_id, Right.ERASURE)}/wish", {"parts": parts})

    def approve(self, case_id: UUID, right: Right) -> None:
        self.post(f"{self._at(case_id, right)}/approve", {"considered": True})

    def claim(self, case_id: UUID, record_id: str, field: str, value: str) -> None:
        at = f"{self._at(case_id, Right.RECTIFICATION)}/claims"
        body = {"field": field, "ground": "wrong", "wish": "rectify", "value": value}
        self.post(at, {**body, "record_id": record_id})
        (made,) = self.get(at)
        self.post(f"{at}/{made['claim_id']}/decision", {"accepted": True})
        self.post(f"{at}/approve", {})

    def restrict(self, case_id: UUID) -> None:
        self.post(f"{self._at(case_id, Right.RESTRICTION)}/restriction", {"ground": "c"})

    def restricted(self, case_id: UUID, system: str) -> None:
        at = self._at(case_id, Right.RESTRICTION)
        self.post(f"{at}/restriction/systems/{system}", {})

    def purposes(self, case_id: UUID) -> list[str]:
        found = self.get(f"{self._at(case_id, Right.OBJECTION)}/balance")
        return [one["purpose"] for one in found["purposes"]]

    def stop(self, case_id: UUID, purposes: list[str]) -> None:
        weighed = [{"purpose": one, "continues": False} for one in purposes]
        self.post(f"{self._at(case_id, Right.OBJECTION)}/balance", {"weighed": weighed})

    def inform(self, case_id: UUID, right: Right, words: str) -> None:
        body: dict[str, object] = {"words": words}
        if right is Right.HUMAN_REVIEW:
            body["changed"] = False
        self.post(f"{self._at(case_id, right)}/information", body)

    def status(self, case_id: UUID, right: Right) -> str:
        return str(self.get(self._at(case_id, right))["status"])


@pytest.fixture(scope="module")
def system(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with open_house(module_database_url, tmp_path_factory.mktemp("api"), clock=Clock()) as house:
        token = house.installation.tokens.create(
            name="walks", staff_id="ola", scopes=frozenset(Scope), controllers=frozenset()
        )
        client = TestClient(
            house.client.app, headers={"Authorization": f"Bearer {token}", "X-Purpose": "handle"}
        )
        yield Api(house, client)


@pytest.mark.parametrize("right", Right, ids=lambda right: right.value)
def test_every_right_is_carried_to_its_end(system: Api, right: Right) -> None:
    case_id = carry(system, right)

    assert system.status(case_id, right) == "closed"
