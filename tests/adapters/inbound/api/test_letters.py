"""Letters over the API: looked at without effect, printed, and recorded as delivered."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient

from adapters.outbound.tokens import Scope
from domain.vocabulary import IdentifierKind, LetterKind, Right
from services.ports import Identifier
from tests.support.asking import confirmed
from tests.support.house import House

ON_PAPER = (Identifier(IdentifierKind.NAME, "Kari Testesen"),)
GIVEN: dict[LetterKind, dict[str, Any]] = {
    LetterKind.CLARIFICATION: {"question": "Gjelder det bare kjøpene?"},
    LetterKind.EXTENSION: {"reasons": ["volume"], "new_date": "2027-02-02"},
    LetterKind.DISCLOSURE_NOTICE: {
        "disclosure": {
            "on": "2026-11-12",
            "what": "Svaret gikk feil.",
            "consequences": "Noen kan ha lest det.",
            "measures": "Lenken er stengt.",
        }
    },
    LetterKind.OTHER_CONTROLLER: {"elsewhere": {"name": "Kystscenen", "contact": "post"}},
    LetterKind.RECIPIENTS: {"recipients": [{"recipient": "Kystscenen", "told": "informed"}]},
    LetterKind.HOLD_RELEASED: {},
}


def test_a_preview_shows_the_letter_and_changes_nothing(house: House, api: TestClient) -> None:
    case_id = confirmed(house, Right.ACCESS)
    before, mails = house.events(), len(house.mails())

    for kind, given in GIVEN.items():
        asked = {"kind": kind.value, "language": "nn", **given}
        answer = api.post(f"/v1/cases/{case_id}/letters/preview", json=asked)
        assert answer.status_code == 200, answer.text
        shown = answer.json()
        assert shown["subject"].strip()
        assert shown["html"].startswith('<!doctype html>\n<html lang="nn">')
        paper = api.post(f"/v1/cases/{case_id}/letters/preview/pdf", json=asked)
        assert paper.content.startswith(b"%PDF-")
    house.worker.drain()

    assert (house.events(), len(house.mails())) == (before, mails)


def test_a_preview_says_what_is_missing(house: House, api: TestClient) -> None:
    case_id = confirmed(house, Right.ACCESS)
    answer = api.post(
        f"/v1/cases/{case_id}/letters/preview", json={"kind": "extension", "reasons": ["volume"]}
    )

    assert answer.status_code == 422
    assert "new-date" in answer.json()["detail"]


def test_a_printed_letter_is_handed_over_with_its_proof(house: House, api: TestClient) -> None:
    case_id = confirmed(house, Right.HUMAN_REVIEW, identifiers=ON_PAPER)
    (letter,) = api.get(f"/v1/cases/{case_id}").json()["letters"]
    place = f"/v1/cases/{case_id}/letters/{letter['letter_id']}"

    paper = api.get(f"{place}/pdf")
    assert paper.headers["content-type"] == "application/pdf"
    assert paper.content.startswith(b"%PDF-")
    today = {"on": date.today().isoformat()}  # noqa: DTZ011
    refused = api.post(f"{place}/delivered", json={"way": "in-person", **today})
    assert refused.status_code == 422
    done = api.post(f"{place}/delivered", json={"way": "in-person", "seen": "ID card", **today})
    assert done.status_code == 200
    assert done.json()["letters"][0]["left_at"] is not None
    assert "ID card" not in done.text


@pytest.mark.parametrize("scope", [Scope.READ])
def test_only_handlers_read_letters(house: House, call: Any, scope: Scope) -> None:
    case_id = confirmed(house, Right.ACCESS)
    (letter_id,) = house.case(case_id).letters
    reader = call(scope)

    assert reader.get(f"/v1/cases/{case_id}/letters/{letter_id}/pdf").status_code == 403
