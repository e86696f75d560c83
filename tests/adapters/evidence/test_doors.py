"""The doors to an evidence pack: API, desk, terminal; each records the look first (Art. 5(2))."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from adapters.bootstrap import signing_keys
from adapters.evidence import trettio_verify
from adapters.inbound.web.evidence_pack import evidence_pack
from adapters.outbound.tokens import Scope
from domain.vocabulary import Content
from services.receipts import Correction
from services.register import UnknownHere
from tests.support.asking import Clock
from tests.support.command import trettio
from tests.support.house import SWEDEN, House, open_house
from tests.support.steps import confirm, reveal


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[House]:
    with open_house(database_url, tmp_path / "home", clock=clock) as opened:
        yield opened


def caller(house: House, *controllers: str) -> TestClient:
    token = house.installation.tokens.create(
        name="audit",
        staff_id="rune",
        scopes=frozenset({Scope.READ}),
        controllers=frozenset(controllers),
    )
    return TestClient(
        house.client.app, headers={"Authorization": f"Bearer {token}", "X-Purpose": "review"}
    )


def facts(pack: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(BytesIO(pack)) as content:
        found: dict[str, Any] = json.loads(content.read("facts.json"))
    return found


def test_it_is_fetched_over_the_api_at_the_desk_and_in_a_terminal(
    house: House, database_url: str, tmp_path: Path
) -> None:
    case_id = house.receive("Jeg ber om innsyn.")
    place = f"/v1/cases/{case_id}/evidence"
    trusted = {signing_keys(house.installation.settings).current.fingerprint}

    asked = caller(house).get(place)
    fetched = house.staff(staff="kari").post(f"/desk/cases/{case_id}/evidence")
    path = tmp_path / "pack.zip"
    printed = trettio(
        *("export", str(case_id), "--as", "ola", "--to", str(path)),
        database_url=database_url,
        home=tmp_path / "home",
    )

    assert printed.returncode == 0, printed.stderr
    for answer in (asked, fetched):
        assert answer.headers["content-type"] == "application/zip"
        copy = tmp_path / "copy.zip"
        copy.write_bytes(answer.content)
        assert trettio_verify.check_pack(copy, trusted)[1] == []
    assert trettio_verify.check_pack(path, trusted)[1] == []
    looks = house.installation.looking.at_case(case_id)
    assert {one.staff_id for one in looks if Content.EVIDENCE in one.what} == {
        "rune",
        "kari",
        "ola",
    }
    assert caller(house, SWEDEN).get(place).status_code == 404
    assert caller(house).get(f"{place}?content=true").status_code == 403
    verified = trettio("verify", str(path), database_url=database_url, home=tmp_path / "home")
    assert verified.returncode == 0, verified.stdout
    spoilt = trettio(
        *("verify", str(path), "--spoil"), database_url=database_url, home=tmp_path / "home"
    )
    assert spoilt.returncode == 1
    assert "events.json" in spoilt.stdout


def test_a_day_shows_what_was_known_then_whatever_was_corrected_later(
    house: House, clock: Clock
) -> None:
    """ "What did we know on day X": the receipt was corrected only two days later (Art. 5(2))."""
    desk = house.staff()
    case_id = house.receive("Jeg ber om innsyn i det dere har om meg.")
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    confirm(desk, case, "access")
    # The log's own clock decides what was recorded when; it is set back for what happened first.
    with house.installation.database.transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("UPDATE trettio.log SET recorded_at = recorded_at - interval '2 days'")
    earlier = house.case(case_id).received_at - timedelta(days=3)
    house.installation.receipts.correct(
        case_id, Correction(earlier, "delivery-proven", "the person", "a postmark"), by="ola"
    )

    then = (datetime.now(UTC) - timedelta(days=1)).date()
    before = facts(evidence_pack(house.installation, case_id, as_of=then))
    now = facts(evidence_pack(house.installation, case_id))

    assert before["requests"] != now["requests"]
    assert before["received_at"] > now["received_at"]
    with pytest.raises(UnknownHere):
        evidence_pack(house.installation, case_id, as_of=then - timedelta(days=5))
