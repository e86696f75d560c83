"""Which profile was in force when, and who decided what about its findings (AK-27, AO-20)."""

from __future__ import annotations

from hashlib import sha256

import pytest

from domain.controller import Controller
from domain.errors import DomainError, NotAllowedNow
from tests.support.past import AT, names, replayed


def adopt(controller: Controller, document: str, by: str = "anna") -> None:
    controller.adopt_profile(
        version=document,
        digest=sha256(document.encode()).hexdigest(),
        document=document,
        by=by,
        at=AT,
    )


@pytest.fixture
def controller_registered() -> Controller:
    controller = Controller(name="culture-house", timestamp=AT)
    controller.collect_events()
    return controller


@pytest.fixture
def profile_adopted(controller_registered: Controller) -> Controller:
    adopt(controller_registered, "first")
    controller_registered.collect_events()
    return controller_registered


def test_an_earlier_profile_stays_readable(profile_adopted: Controller) -> None:
    """AK-27: a case keeps the promise of the profile in force at its receipt."""
    first = profile_adopted.in_force
    adopt(profile_adopted, "second")

    assert profile_adopted.in_force != first
    assert set(profile_adopted.documents.values()) == {"first", "second"}


def test_the_profile_in_force_is_not_adopted_again_but_an_earlier_one_may_be(
    profile_adopted: Controller,
) -> None:
    for document in ("first", "second", "first"):
        adopt(profile_adopted, document)

    assert names(profile_adopted) == ["ProfileAdopted", "ProfileAdopted"]


def test_a_digest_is_that_of_its_document(controller_registered: Controller) -> None:
    with pytest.raises(DomainError, match="SHA-256"):
        controller_registered.adopt_profile(
            version="1", digest="0" * 64, document="first", by="anna", at=AT
        )


def test_somebody_adopts_a_profile(controller_registered: Controller) -> None:
    with pytest.raises(DomainError, match="human name"):
        adopt(controller_registered, "first", by="")


def test_a_finding_is_decided_by_a_person_in_words_and_once(profile_adopted: Controller) -> None:
    for by, decision in (("", "yes"), ("trettio", "yes"), ("anna", " ")):
        with pytest.raises(DomainError):
            profile_adopted.decide_finding(code="archive_duty", decision=decision, by=by, at=AT)
    for decision in ("it applies", "it applies", "it does not"):
        profile_adopted.decide_finding(code="archive_duty", decision=decision, by="anna", at=AT)

    assert names(profile_adopted) == ["FindingDecided", "FindingDecided"]


def test_a_decision_names_the_profile_it_was_made_about(profile_adopted: Controller) -> None:
    profile_adopted.decide_finding(code="archive_duty", decision="it applies", by="anna", at=AT)

    (event,) = profile_adopted.collect_events()
    assert isinstance(event, Controller.FindingDecided)
    assert event.profile == profile_adopted.in_force


def test_without_a_profile_there_is_nothing_to_decide(controller_registered: Controller) -> None:
    with pytest.raises(NotAllowedNow, match="adopt one first"):
        controller_registered.decide_finding(code="x", decision="y", by="anna", at=AT)


def test_a_replayed_controller_is_the_same() -> None:
    controller = Controller(name="culture-house", timestamp=AT)
    adopt(controller, "first")
    controller.decide_finding(code="archive_duty", decision="it applies", by="anna", at=AT)

    assert replayed(controller.collect_events()) == controller
