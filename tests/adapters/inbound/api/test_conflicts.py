"""Somebody is faster: load again and decide again, three times at most, and then say so (409)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import StoredEvent
from fastapi.testclient import TestClient

from adapters.outbound.recorder import LogRecorder
from domain.case import Case, CaseStatus
from domain.personal import PersonalRef
from tests.support.house import KARI, House

ATTEMPTS = 3


class Rival:
    """Saves a version of the case just before everybody else, so many times."""

    def __init__(self, house: House, case_id: UUID, times: int) -> None:
        self._house, self._case_id, self.left = house, case_id, times
        self._insert = LogRecorder.insert_events

    def in_place_of_saving(self) -> Callable[..., Sequence[int]]:
        def insert_events(
            recorder: LogRecorder, stored_events: Sequence[StoredEvent], **facts: Any
        ) -> Sequence[int]:
            if self.left and any(event.originator_id == self._case_id for event in stored_events):
                self.left -= 1
                self._overtake(recorder)
            return self._insert(recorder, stored_events, **facts)

        return insert_events

    def _overtake(self, recorder: LogRecorder) -> None:
        register = self._house.installation.register
        now = self._house.installation.clock()
        case: Case = register.repository.get(self._case_id)  # as it is, not as the command read it
        case.add_message(message=PersonalRef(uuid4()), received_at=now, at=now)
        (event,) = case.collect_events()
        self._insert(recorder, [register.mapper.to_stored_event(event)])


def confirm(api: TestClient, case_id: UUID) -> Any:
    return api.post(
        f"/v1/cases/{case_id}/confirm",
        json={
            "rights": ["access"],
            "language": "nb",
            "identifiers": [{"kind": "email", "value": KARI}],
        },
        headers={"Idempotency-Key": str(uuid4())},
    )


def test_two_conflicts_are_no_business_of_the_client(
    house: House, api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = house.receive("Jeg ber om innsyn.")
    rival = Rival(house, case_id, ATTEMPTS - 1)
    monkeypatch.setattr(LogRecorder, "insert_events", rival.in_place_of_saving())

    answer = confirm(api, case_id)

    assert (answer.status_code, rival.left) == (200, 0), answer.text
    case = house.case(case_id)
    assert (case.status, len(case.messages)) == (CaseStatus.CONFIRMED, ATTEMPTS)


def test_the_third_conflict_is_told(
    house: House, api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = house.receive("Jeg ber om innsyn.")
    rival = Rival(house, case_id, ATTEMPTS + 1)
    monkeypatch.setattr(LogRecorder, "insert_events", rival.in_place_of_saving())

    answer = confirm(api, case_id)

    assert (answer.status_code, rival.left) == (409, 1), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "look again, then repeat" in answer.json()["detail"]
    assert house.case(case_id).status is CaseStatus.WAITING
