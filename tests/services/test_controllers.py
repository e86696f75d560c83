"""Profiles: adopted once, kept for the cases under them, and asked about before the first case."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.findings import check
from domain.vocabulary import Right, Severity
from tests.support.asking import confirmed
from tests.support.house import NORWAY, ORGANISATIONS, SWEDEN, House

DOCUMENT = (ORGANISATIONS / f"{NORWAY}.toml").read_bytes()
WITHOUT_ADDRESS = b"channels = []\n" + re.sub(rb"\[\[channels\]\]\n(?:\w.*\n)+", b"", DOCUMENT)


def test_adopting_the_same_profile_again_changes_nothing(house: House) -> None:
    before = house.events()

    house.installation.controllers.adopt(DOCUMENT, name=NORWAY, by="settings")

    assert house.events() == before
    assert house.installation.controllers.names() == (NORWAY, SWEDEN)


def test_an_earlier_profile_stays_readable(house: House) -> None:
    """Grounds and dates follow the profile in force at receipt (AK-27, AO-20)."""
    controllers = house.installation.controllers
    earlier = controllers.in_force(NORWAY)

    controllers.adopt(DOCUMENT + b"\n# another version\n", name=NORWAY, by="ola")

    assert controllers.in_force(NORWAY).digest != earlier.digest
    assert controllers.version(NORWAY, earlier.digest) == earlier
    with pytest.raises(DomainError, match="never had that profile"):
        controllers.version(NORWAY, "0" * 64)


def test_findings_wait_for_a_decision_before_the_first_case(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = datetime.now(UTC).date()
    grave = [
        replace(finding, severity=Severity.DECIDE_FIRST, code="who-answers")
        for finding in check(house.installation.controllers.in_force(NORWAY), today)[:1]
    ]
    assert grave
    monkeypatch.setattr("services.controllers.check", lambda *_: tuple(grave))

    with pytest.raises(NotAllowedNow, match=r"decide these findings .* who-answers"):
        confirmed(house, Right.ACCESS)
    house.installation.controllers.decide_finding(
        NORWAY, code="who-answers", decision="the director does", by="ola"
    )
    confirmed(house, Right.ACCESS)


def test_a_missing_address_is_added_and_not_decided_away(house: House) -> None:
    """OK-02: an operator must set an address before anybody can be written to."""
    controllers = house.installation.controllers
    controllers.adopt(WITHOUT_ADDRESS, name=NORWAY, by="ola")

    with pytest.raises(DomainError, match="add an address under 'channels' to the profile"):
        controllers.decide_finding(NORWAY, code="channel_missing", decision="later", by="ola")
    with pytest.raises(NotAllowedNow, match="add an address under 'channels' to the profile"):
        confirmed(house, Right.ACCESS)

    controllers.adopt(DOCUMENT, name=NORWAY, by="ola")
    confirmed(house, Right.ACCESS)


def test_an_address_that_was_decided_away_before_is_asked_for_again(house: House) -> None:
    controllers = house.installation.controllers
    controller = house.installation.register.find_controller(NORWAY)
    assert controller is not None
    at = datetime.now(UTC)
    controller.decide_finding(code="channel_missing", decision="later", by="ola", at=at)
    house.installation.register.save_all([controller])
    assert not {f.code for f in controllers.findings(NORWAY, at.date())} & {"channel_missing"}

    controllers.adopt(WITHOUT_ADDRESS, name=NORWAY, by="ola")

    assert "channel_missing" in {f.code for f in controllers.findings(NORWAY, at.date())}


def test_what_nobody_found_is_not_decided(house: House) -> None:
    with pytest.raises(DomainError, match="there is no finding 'mispelt'"):
        house.installation.controllers.decide_finding(
            NORWAY, code="mispelt", decision="yes", by="ola"
        )


def test_an_unknown_controller_is_said_to_be(house: House) -> None:
    with pytest.raises(DomainError, match="no controller 'nobody'"):
        house.installation.controllers.in_force("nobody")
