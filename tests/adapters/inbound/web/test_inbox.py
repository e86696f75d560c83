"""The inbox: one message after the other, each look on record, and replies apart."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from domain.case import Case, CaseStatus
from domain.vocabulary import Content, Right
from projections import incoming
from tests.support.asking import confirmed, received
from tests.support.house import KARI, NORWAY, SWEDEN, House
from tests.support.steps import press


@pytest.fixture
def waiting(house: House) -> tuple[UUID, UUID, UUID]:
    """Three messages that nobody has read."""
    first = house.receive("Jeg ber om innsyn i det dere har om meg.")
    second = house.receive("Når åpner dørene på lørdag?", subject="Konserten")
    third = house.receive("Slett alt dere har om meg.")
    return first, second, third


def begin(house: House, case_id: UUID) -> TestClient:
    """Somebody who has said what the inbox is gone through for."""
    desk = house.staff()
    shown = press(desk, "/desk/inbox/purpose", case=str(case_id), purpose="handle")
    assert KARI in shown
    return desk


def test_what_for_is_said_once_and_every_message_opened_is_a_look(
    house: House, waiting: tuple[UUID, UUID, UUID]
) -> None:
    first, _, third = waiting
    desk = house.staff()
    hidden = desk.get(f"/desk/inbox/{first}").text
    assert KARI not in hidden
    assert "innsyn i det dere" not in hidden
    assert house.installation.looking.at_case(first) == ()

    desk = begin(house, first)
    assert KARI in desk.get(f"/desk/inbox/{third}").text

    for case_id in (first, third):
        (look,) = house.installation.looking.at_case(case_id)
        assert set(look.what) == {Content.MESSAGE, Content.IDENTIFIERS}
        assert (look.staff_id, look.purpose.value) == ("ola", "handle")
    assert KARI not in desk.get("/desk/inbox").text
    assert KARI not in desk.get(f"/desk/cases/{first}").text  # another page, another purpose
    assert KARI not in house.staff(staff="ida").get(f"/desk/inbox/{first}").text


def test_confirmed_or_set_aside_the_next_message_comes(
    house: House, waiting: tuple[UUID, UUID, UUID]
) -> None:
    first, second, third = waiting
    desk = begin(house, first)
    shown = desk.get(f"/desk/inbox/{first}").text
    assert re.search(r'value="access" checked', shown)

    who = {"kind": ["email"], "value": [KARI]}
    answer = desk.post(
        f"/desk/inbox/{first}/confirm",
        data={"right": ["access"], "language": "nb", "next": "yes", **who},
    )
    house.work()
    assert answer.url.path == f"/desk/inbox/{second}"
    assert house.case(first).reference in answer.text  # what was done, and where it is
    assert house.case(first).rights == (Right.ACCESS,)

    answer = desk.post(
        f"/desk/inbox/{second}/set-aside", data={"kind": "customer-service", "next": "yes"}
    )
    house.work()
    assert answer.url.path == f"/desk/inbox/{third}"
    assert house.case(second).status is CaseStatus.SET_ASIDE

    answer = desk.post(
        f"/desk/inbox/{third}/confirm",
        data={"right": ["erasure", "access"], "language": "nn", "next": "yes", **who},
    )
    assert answer.url.path == "/desk/inbox"  # nothing waits any more
    assert set(house.case(third).rights) == {Right.ERASURE, Right.ACCESS}
    house.work()
    assert 'class="button main" href="/desk"' in desk.get("/desk/inbox").text
    assert desk.get(f"/desk/inbox/{third}").url.path == f"/desk/cases/{third}"


def test_a_form_that_fails_keeps_what_was_typed(
    house: House, waiting: tuple[UUID, UUID, UUID]
) -> None:
    desk = begin(house, waiting[0])
    answer = desk.post(
        f"/desk/inbox/{waiting[0]}/confirm",
        data={"language": "sv", "kind": ["phone"], "value": ["+47 22 99 99 99"], "next": "yes"},
    )
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert 'value="+47 22 99 99 99"' in answer.text
    assert '<option value="sv" selected>' in answer.text
    assert house.case(waiting[0]).status is CaseStatus.WAITING


def test_another_controllers_messages_are_not_there(
    house: House, waiting: tuple[UUID, UUID, UUID]
) -> None:
    other, place = house.staff(SWEDEN, staff="pia"), f"/desk/inbox/{waiting[0]}"
    nowhere = "/desk/inbox/11111111-1111-5111-8111-111111111111"
    assert house.case(waiting[0]).reference not in other.get("/desk/inbox").text
    assert other.get(place).status_code == other.get(nowhere).status_code == 404
    for step in ("confirm", "set-aside", "read"):
        assert other.post(f"{place}/{step}").status_code == 404
    data = {"case": str(waiting[0]), "purpose": "handle"}
    assert other.post("/desk/inbox/purpose", data=data).status_code == 404
    theirs = other.get("/desk/inbox?controller=fjordscenen").text
    nobodys = other.get("/desk/inbox?controller=nowhere").text
    assert theirs.replace("fjordscenen", "nowhere") == nobodys


def test_a_reply_stands_apart_until_somebody_has_read_or_answered_it(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    house.work()
    desk = house.staff()
    assert 'id="replies"' not in desk.get("/desk/inbox").text
    house.installation.register.save_all([written_again(house, case_id)])
    house.work()
    assert 'id="replies"' in desk.get("/desk/inbox").text
    assert 'id="replies"' not in house.staff(SWEDEN, staff="pia").get("/desk/inbox").text

    press(desk, f"/desk/inbox/{case_id}/read")
    house.work()
    assert 'id="replies"' not in desk.get("/desk/inbox").text
    events = house.events()
    press(desk, f"/desk/inbox/{case_id}/read")
    assert house.events() == events  # pressed twice, it is said once


def written_again(house: House, case_id: UUID) -> Case:
    case, now = house.case(case_id), house.installation.clock()
    other = house.case(received(house, "Har dere glemt meg?"))
    case.add_message(message=other.message, received_at=now, at=now)
    return case


def test_after_the_last_message_the_first_one_comes(
    house: House, waiting: tuple[UUID, UUID, UUID]
) -> None:
    sql, both = house.installation.database, (NORWAY, SWEDEN)
    messages = incoming.cases(sql, both, waiting, limit=3)[::-1]
    ahead = [incoming.following(sql, both, after=one) for one in messages]
    assert [one[0].case_id for one in ahead] == [waiting[1], waiting[2], waiting[0]]
    assert all(len(one) == 2 for one in ahead)
    assert incoming.waiting(sql, both) == 3
    assert incoming.waiting(sql, (SWEDEN,)) == 0


def test_what_stands_in_the_way_is_said_in_the_readers_language(house: House) -> None:
    case_id = house.receive("Jeg ber om innsyn.")
    desk = house.staff()
    for language, words in (
        ("nb", "si hvem den hører til"),
        ("sv", "säg vem det hör till"),
        ("en", "say whose it is: choose a recipient in the list"),
    ):
        answer = desk.post(
            f"/desk/inbox/{case_id}/set-aside?lang={language}",
            data={"kind": "other-controller", "notify": "yes"},
        )
        assert answer.status_code == 422
        alert = answer.text[answer.text.index('role="alert"') :]
        assert words in alert[: alert.index("</p>")]
        assert 'lang="en"' not in alert[: alert.index("</p>")]
