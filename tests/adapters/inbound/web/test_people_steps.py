"""The desk finds out who may ask for whom, and hides where the protected live (E-08, E-10)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.vocabulary import Language, Right
from tests.support.asking import asked, confirmed
from tests.support.house import House, open_house
from tests.support.steps import press, reveal


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with open_house(database_url, tmp_path) as opened:
        yield opened


def test_a_parent_is_accepted_step_by_step_on_the_desk(house: House) -> None:
    """E-08: each question has its form, and nothing is searched before they are answered."""
    case_id = confirmed(house, Right.ACCESS)
    case, desk = f"/desk/cases/{case_id}", house.staff()
    reveal(desk, case)
    about = {"kind": ["email", "name"], "value": ["nora@person.example", "Nora Testesen"]}
    page = press(desk, f"{case}/representation", part="parent", age="13", **about)
    for language in Language:
        assert "people." not in desk.get(f"{case}?lang={language.value}").text
    for step in ("evidence", "child-view", "address", "conflict", "doubt", "reject"):
        assert f"/representation/{step}" in page
    assert "/representation/accept" not in page, "not before everything is known"

    press(desk, f"{case}/representation/doubt", words="Har du foreldreansvar?")
    press(desk, f"{case}/representation/evidence", evidence="population-register")
    press(desk, f"{case}/representation/child-view", view="agrees", reason="asked-in-person")
    press(desk, f"{case}/representation/address", protected="yes")
    press(desk, f"{case}/representation/conflict", known="no")
    press(desk, f"{case}/identity/verified", method="in-person")
    assert asked(house, case_id, Right.ACCESS).authority_awaited
    page = press(
        desk, f"{case}/representation/accept", answer_to="representative", reason="as-usual"
    )

    assert house.case(case_id).protected
    assert not asked(house, case_id, Right.ACCESS).authority_awaited
    assert "/protection/end" in page
    press(desk, f"{case}/protection/end", reason="recorded-by-mistake")
    assert not house.case(case_id).protected


def test_the_dead_and_the_unauthorised_are_ended_on_the_desk(house: House) -> None:
    """E-09, E-08: both need a person's word, and say what comes next."""
    case_id = confirmed(house, Right.ACCESS)
    case, desk = f"/desk/cases/{case_id}", house.staff()
    wrong = desk.post(f"{case}/deceased", data={})
    assert wrong.status_code == 422
    press(desk, f"{case}/deceased", sure="yes")
    house.worker.drain()
    assert house.mails()[-1].kind.value == "deceased"

    other = confirmed(house, Right.ACCESS, text="En annen")
    there = f"/desk/cases/{other}"
    press(desk, f"{there}/representation", part="agent", age="", kind="email", value="n@x.example")
    page = press(desk, f"{there}/representation/reject", reason="authority-not-shown")
    assert asked(house, other, Right.ACCESS).authority_awaited
    assert "refuse" in page.casefold()
