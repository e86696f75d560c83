"""Letters on the desk: looked at, printed and delivered with plain forms."""

from __future__ import annotations

from datetime import date

from domain.vocabulary import Right
from tests.support.asking import confirmed
from tests.support.house import House
from tests.support.steps import press, reveal


def test_a_letter_is_looked_at_printed_and_read_aloud_from_the_desk(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    (letter_id,) = house.case(case_id).letters
    desk = house.staff()
    case = f"/desk/cases/{case_id}"
    hidden = desk.get(f"{case}/letters/{letter_id}/letter.pdf", follow_redirects=False)
    assert hidden.status_code == 303  # first say what for
    reveal(desk, case)

    assert f"{case}/letters/preview" in desk.get(case).text
    assert desk.get(f"{case}/letters/{letter_id}/letter.pdf").content.startswith(b"%PDF-")
    asked = {"kind": "clarification", "question": "Gjelder det <b>alt</b>?"}
    shown = desk.post(f"{case}/letters/preview", data=asked)
    assert shown.status_code == 200
    assert "&lt;b&gt;alt&lt;/b&gt;" in shown.text
    assert desk.post(f"{case}/letters/preview", data={**asked, "pdf": "1"}).content[:5] == b"%PDF-"
    lacking = desk.post(f"{case}/letters/preview", data={"kind": "fee-announced"})
    assert lacking.status_code == 422
    assert "must say" in lacking.text


def test_a_letter_is_delivered_another_way_with_what_shows_it(house: House) -> None:
    case_id = house.receive("Jeg ber om innsyn i det dere har om meg.")
    desk = house.staff()
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    press(
        desk, f"{case}/confirm", right="access", language="nb", kind="name", value="Kari Testesen"
    )
    (letter_id,) = house.case(case_id).letters
    place = f"{case}/letters/{letter_id}/delivered"
    on = date.today().isoformat()  # noqa: DTZ011

    assert desk.post(place, data={"way": "read-aloud", "on": on}).status_code == 422
    press(desk, place, way="read-aloud", on=on, seen="svarte på spørsmål om et kjøp")
    assert letter_id in house.case(case_id).left
