"""The desk's forms of the rights: what is covered, taken along, erased in part, and who got it."""

from __future__ import annotations

import io
import re
import zipfile
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from domain.request import Status
from domain.vocabulary import LetterKind, Right
from tests.support.asking import asked, collected
from tests.support.house import KARI, NORWAY, House
from tests.support.steps import press, reveal

TOLD = "Nabo Ole Vik er syk."


def desk_at(house: House, right: Right) -> tuple[TestClient, str, str]:
    """A request in which a note about somebody else was found; the desk, its case and request."""
    house.systems.system(NORWAY, "ticketing").hold(
        KARI,
        "customer",
        "c1",
        fields={"email": KARI, "phone": "40 00 00 00", "note": TOLD},
        flags=frozenset({"mentions_others"}),
    )
    case_id = collected(house, right)
    desk, case = house.staff(), f"/desk/cases/{case_id}"
    reveal(desk, case)
    return desk, case, f"{case}/requests/{asked(house, case_id, right).id}"


def record_of(desk: TestClient, case: str) -> str:
    """The page of the one record that somebody has to read."""
    found = re.search(rf'href="({case}/requests/[^"]+/records/[^"]+)"', desk.get(case).text)
    assert found is not None
    return str(found[1])


def actions(page: str, words: str) -> list[str]:
    return sorted(set(re.findall(rf'action="([^"]*{words}[^"]*)"', page)))


@pytest.mark.parametrize("right", [Right.ACCESS, Right.PORTABILITY])
def test_a_passage_is_covered_shown_again_and_covered_anew(house: House, right: Right) -> None:
    """Art. 15(4), 20(4): the form needs no script; the copy leaves only once somebody looked."""
    desk, case, request = desk_at(house, right)
    too_early = desk.post(f"{request}/approve", data={})
    assert too_early.status_code == 409
    at = record_of(desk, case)
    (place,) = actions(desk.get(at).text, "/cover")
    wrong = desk.post(place, data={"field": "note", "text": "Per", "reason": "other-person"})
    assert wrong.status_code == 422
    page = press(
        desk, place, field="note", text="Ole Vik", reason="other-person", words="Syk.", page="1"
    )
    assert "<strong><bdi>Nabo ••• er syk.</bdi></strong>" in page  # what the person gets
    (uncover,) = actions(page, "/uncover")
    record = at.rpartition("/")[2]
    (clear,) = actions(press(desk, uncover, page="1", record=record), "/clear")
    press(desk, clear)
    press(desk, place, field="note", text="Ole Vik", reason="other-person")

    press(desk, f"{request}/approve")
    house.work()

    (found,) = house.installation.register.requests_of(house.case(_id(case)))
    content = house.installation.answering.package(found.id)
    copy = zipfile.ZipFile(io.BytesIO(content)).read("data.json").decode()
    assert "Ole Vik" not in copy
    assert "er syk." in copy


def test_a_direct_transfer_is_asked_for_judged_and_made(house: House) -> None:
    desk, case, request = desk_at(house, Right.PORTABILITY)
    (clear,) = actions(desk.get(record_of(desk, case)).text, "/clear")
    press(desk, clear)
    page = press(desk, f"{request}/transfer", to="Scenehuset & Co <i>")
    assert "Scenehuset &amp; Co &lt;i&gt;" in page
    press(desk, f"{request}/transfer/judge", feasible="yes:they-can-take-it")
    file = desk.get(f"{request}/portable.zip")
    assert file.headers["content-type"] == "application/zip"
    press(desk, f"{request}/transfer/made")
    press(desk, f"{request}/approve")
    house.work()

    assert any(mail.kind is LetterKind.ANSWER for mail in house.mails())


def test_a_part_is_erased_and_the_person_learns_who_got_what(house: House) -> None:
    desk, case, request = desk_at(house, Right.ERASURE)
    page = press(desk, f"{request}/wish", category="profile", fields="phone", ground="a")
    assert "trengs ikke lenger (a)" in page or "no longer needed (a)" in page
    press(desk, f"{request}/approve", considered="1")
    house.work()
    assert asked(house, _id(case), Right.ERASURE).status is Status.CLOSED

    press(desk, f"{case}/recipients/letter")
    house.work()

    assert any(mail.kind is LetterKind.RECIPIENTS for mail in house.mails())


def _id(case: str) -> UUID:
    return UUID(case.rpartition("/")[2])
