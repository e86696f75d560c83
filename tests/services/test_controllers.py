"""Profiles: adopted once, kept for the cases under them, and asked about before the first case."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.controller import Controller, FindingAnswer
from domain.errors import DomainError, NotAllowedNow
from domain.findings import check
from domain.vocabulary import Language, Right, Severity, TriageKind
from tests.support.asking import asked, confirmed, received
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


def test_what_was_received_keeps_the_promise_that_was_made_then(house: House) -> None:
    """AK-27, AO-20: confirmed under a later profile, dated by the one in force at its receipt."""
    case_id = received(house)
    earlier = house.installation.controllers.in_force(NORWAY)
    later = DOCUMENT.replace(b"promise_days = 30", b"promise_days = 10")
    assert later != DOCUMENT
    house.installation.controllers.adopt(later, name=NORWAY, by="ola")
    by_whom = house.installation.intake.proposed_identifiers(case_id)

    house.installation.intake.confirm(
        case_id, rights=(Right.ACCESS,), language=Language.NB, identifiers=by_whom, by="ola"
    )
    after = confirmed(house, Right.ACCESS, text="Hei igjen")

    request, newer = (asked(house, one, Right.ACCESS) for one in (case_id, after))
    assert (request.profile_version, request.promise_days) == (earlier.digest, 30)
    assert newer.promise_days == 10
    assert newer.dates.promise_due == newer.received_on + timedelta(days=10)


def test_periods_are_those_of_the_receipt_and_systems_those_of_today(house: House) -> None:
    """AK-27: what a later profile learnt to name can be decided about, and nothing else moves."""
    controllers = house.installation.controllers
    then = controllers.in_force(NORWAY)
    category = then.categories[0].id
    parts = DOCUMENT.split(b"[[systems]]\n")
    parts[1] += f'[[systems.holdings]]\nkind = "postcard"\ncategory = "{category}"\n\n'.encode()
    later = b"[[systems]]\n".join(parts).replace(
        b"provided_by_person = false", b"provided_by_person = true"
    )
    controllers.adopt(later, name=NORWAY, by="ola")

    terms = controllers.terms(NORWAY, then.digest)

    assert terms.categories == then.categories
    assert terms.systems[0].holding("postcard") is not None
    assert controllers.in_force(NORWAY).categories != then.categories


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
    controller.trigger_event(
        Controller.FindingDecided, code="channel_missing", decision="later", by="ola", timestamp=at
    )
    house.installation.register.save_all([controller])
    assert not {f.code for f in controllers.findings(NORWAY, at.date())} & {"channel_missing"}

    controllers.adopt(WITHOUT_ADDRESS, name=NORWAY, by="ola")

    assert "channel_missing" in {f.code for f in controllers.findings(NORWAY, at.date())}


def test_a_decision_is_sealed_and_stands_until_the_policy_says_something_else(
    house: House,
) -> None:
    """X-01: an answer is about the words that were asked about; personal data is not in the log."""
    controllers = house.installation.controllers
    today = datetime.now(UTC).date()
    code = "legitimate_interest_public_body"

    for _ in range(2):
        controllers.decide_finding(
            NORWAY,
            code=code,
            decision="Kari Testesen says so",
            by="ola",
            answer=FindingAnswer.LAW_PREVAILS,
        )
    decision = controllers.decisions(NORWAY, today)[0]

    assert (decision.code, decision.answer, decision.stands) == (code, "law-prevails", True)
    assert decision.words == "Kari Testesen says so"
    log = house.installation.database.fetch("SELECT state FROM trettio.log")
    assert not any(b"Testesen" in bytes(row["state"]) for row in log)
    events = house.events()
    controllers.decide_finding(
        NORWAY, code=code, decision=decision.words, by="ola", answer=FindingAnswer.LAW_PREVAILS
    )
    assert house.events() == events

    basis = b'bases = ["legitimate-interest"]'
    other = DOCUMENT.replace(basis, b'bases = ["public-task"]', 1)
    controllers.adopt(DOCUMENT + b"# just as before", name=NORWAY, by="ola")
    assert code not in {one.code for one in controllers.findings(NORWAY, today)}
    controllers.adopt(other, name=NORWAY, by="ola")
    assert code in {one.code for one in controllers.findings(NORWAY, today)}
    assert not controllers.decisions(NORWAY, today)[0].stands


def test_two_names_stop_every_letter_until_somebody_has_decided(house: House) -> None:
    """AK-01: nobody is written to by a controller that does not know its own name."""
    two = DOCUMENT.replace(b"names = [", b'names = ["Fjordscenen IKS", ', 1)
    if b"decided" not in two:
        two = two.replace(b"[controller]\n", b"[controller]\ndecided = false\n", 1)
    controllers = house.installation.controllers
    controllers.adopt(two, name=NORWAY, by="ola")
    case_id = received(house, "Jeg har mistet billettene mine")
    aside = house.installation.passing_on.set_aside
    kind = TriageKind.CUSTOMER_SERVICE

    with pytest.raises(NotAllowedNow, match=r"no letter may leave .* controller_ambiguous"):
        aside(case_id, kind=kind, by="ola")
    controllers.decide_finding(
        NORWAY, code="controller_ambiguous", decision="the IKS it is", by="ola"
    )
    aside(case_id, kind=kind, by="ola")


def test_what_nobody_found_is_not_decided(house: House) -> None:
    with pytest.raises(DomainError, match="there is no finding 'mispelt'"):
        house.installation.controllers.decide_finding(
            NORWAY, code="mispelt", decision="yes", by="ola"
        )


def test_an_unknown_controller_is_said_to_be(house: House) -> None:
    with pytest.raises(DomainError, match="no controller 'nobody'"):
        house.installation.controllers.in_force("nobody")
