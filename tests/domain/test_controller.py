"""Which profile was in force when, and who decided what about its findings (AK-27, AO-20)."""

from __future__ import annotations

from hashlib import sha256

import pytest

from domain.controller import Controller, FindingAnswer
from domain.errors import DomainError, NotAllowedNow
from tests.support.past import AT, days, names, ref, replayed


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
    """AK-27, AO-20: a case keeps the promise of the profile in force at its receipt."""
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
    """AK-27, AO-20, GK-27: a version cannot be changed unseen."""
    with pytest.raises(DomainError, match="SHA-256"):
        controller_registered.adopt_profile(
            version="1", digest="0" * 64, document="first", by="anna", at=AT
        )


def test_somebody_adopts_a_profile(controller_registered: Controller) -> None:
    with pytest.raises(DomainError, match="human name"):
        adopt(controller_registered, "first", by="")


def decide(controller: Controller, by: str = "anna") -> None:
    controller.decide_finding(
        code="archive_duty",
        answer=FindingAnswer.LAW_PREVAILS,
        words=ref(),
        about="f0",
        by=by,
        at=AT,
    )


@pytest.mark.parametrize("by", ["", "trettio"])
def test_a_finding_is_decided_by_a_person(profile_adopted: Controller, by: str) -> None:
    """AO-15, B.7 row bank: the operator decides, and it is an event."""
    with pytest.raises(DomainError):
        decide(profile_adopted, by)

    assert names(profile_adopted) == []


def test_a_decision_names_the_profile_it_was_made_about(profile_adopted: Controller) -> None:
    decide(profile_adopted)

    (event,) = profile_adopted.collect_events()
    assert isinstance(event, Controller.FindingDecided)
    assert (event.decision, event.about) == ("law-prevails", "f0")
    assert event.profile == profile_adopted.in_force


def test_a_decision_of_the_first_version_is_still_one(profile_adopted: Controller) -> None:
    """Before there were codes the words themselves stood in the event."""
    profile_adopted.trigger_event(
        Controller.FindingDecided,
        code="archive_duty",
        decision="it applies",
        by="anna",
        timestamp=AT,
    )

    decided = profile_adopted.decided["archive_duty"]
    assert (decided.answer, decided.words, decided.about) == ("it applies", None, "")


def test_what_arrived_is_judged_by_the_profile_of_that_moment(
    controller_registered: Controller,
) -> None:
    """AK-27, AO-20: and what came before all of them by the first."""
    for day, document in ((0, "first"), (10, "second"), (20, "first")):
        controller_registered.adopt_profile(
            version=document,
            digest=sha256(document.encode()).hexdigest(),
            document=document,
            by="anna",
            at=AT + days(day),
        )

    def in_force(day: int) -> str:
        digest = controller_registered.in_force_at(AT + days(day))
        assert digest is not None
        return controller_registered.documents[digest]

    moments = (-5, 0, 9, 10, 19, 20, 30)
    assert [in_force(day) for day in moments] == [*["first"] * 3, *["second"] * 2, *["first"] * 2]


def test_without_a_profile_there_is_nothing_to_decide(controller_registered: Controller) -> None:
    with pytest.raises(NotAllowedNow, match="adopt one first"):
        decide(controller_registered)
    assert controller_registered.in_force_at(AT) is None


def test_a_replayed_controller_is_the_same() -> None:
    controller = Controller(name="culture-house", timestamp=AT)
    adopt(controller, "first")
    decide(controller)

    assert replayed(controller.collect_events()) == controller
