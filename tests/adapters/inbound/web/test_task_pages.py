"""Tasks by hand on their own page: written down, or taken from an export that is kept nowhere."""

from __future__ import annotations

import html
import re

from domain.fulfilment import SystemStatus
from domain.vocabulary import Right
from tests.support.asking import asked
from tests.support.house import KARI, House
from tests.support.steps import asked_for_access, confirm, press, reveal

EXPORT = f"""E-post;Navn;Telefon;Melding
{KARI};Kari Testesen;;Spurte om rullestolplass
ola@person.example;Ola Testesen;;Klaget på lyden
"""
GONE = "E-post;Navn;Telefon;Melding\nola@person.example;Ola Testesen;;Klaget på lyden\n"
SYSTEM = "web"


def sent(content: str) -> dict[str, tuple[str, bytes, str]]:
    return {"document": ("eksport.csv", content.encode(), "text/csv")}


def test_columns_are_said_once_and_rows_taken_and_read_back(house: House) -> None:
    case_id = house.receive("Slett alt dere har om meg.")
    desk, case = house.staff(), f"/desk/cases/{case_id}"
    reveal(desk, case)
    confirm(desk, case, "erasure")
    press(desk, f"{case}/identity/ask", reason="unknown-sender")
    house.work()
    press(desk, f"{case}/identity/code", code=house.newest_code())
    house.work()
    request = asked(house, case_id, Right.ERASURE)
    place = f"{case}/requests/{request.id}/systems/{SYSTEM}"
    page = desk.get(f"{place}?lang=en").text
    assert KARI in page  # what to look for
    assert page.count('class="main"') == 1

    no_file = desk.post(f"{place}/export", data={"lang": "en"})
    assert no_file.status_code == 422
    no_csv = desk.post(f"{place}/export", files=sent("just words"))
    assert no_csv.status_code == 422
    assert "CSV" in no_csv.text

    mapping = desk.post(f"{place}/export", files=sent(EXPORT)).text
    titles = re.findall(r'name="title" value="([^"]+)"', mapping)
    chosen = re.findall(r'<option value="([^"]+)" selected', mapping)
    assert titles == ["E-post", "Navn", "Telefon", "Melding"]
    assert chosen == ["email", "name", "phone"]
    found = re.search(r'<select id="kind" name="kind"><option value="([^"]+)"', mapping)
    assert found is not None
    nobody = {"mapping": "1", "kind": found[1], "title": titles, "meaning": ["", "", "", ""]}
    assert desk.post(f"{place}/export", data=nobody, files=sent(EXPORT)).status_code == 422
    said = {**nobody, "meaning": ["email", "name", "phone", ""]}
    desk.post(f"{place}/export", data=said, files=sent(EXPORT))

    before = house.events()
    rows = desk.post(f"{place}/export", files=sent(EXPORT)).text
    assert house.events() <= before + 1  # at most that somebody looked
    assert "rullestolplass" in rows
    assert "ola@person.example" not in rows  # other people's rows are shown to nobody
    answer = re.search(r'name="answer" value="([^"]+)"', rows)
    assert answer is not None
    press(desk, f"{place}/export/found", answer=html.unescape(answer[1]))
    state = house.installation.register.fulfilment(request.id).systems[SYSTEM]
    assert state.status is SystemStatus.FOUND
    assert [one.needs_a_person for one in state.found] == [False]

    for name, one in house.installation.register.fulfilment(request.id).systems.items():
        if one.waits_for == "look-up":
            press(
                desk,
                f"{case}/requests/{request.id}/systems/{name}/found",
                nothing="searched-nothing-held",
            )
    house.work()
    press(desk, f"{case}/requests/{request.id}/approve", considered="1")
    house.work()
    still = desk.post(f"{place}/export", files=sent(EXPORT)).text
    assert "rullestolplass" in still
    assert f'action="{place}/erased"' not in still
    clean = desk.post(f"{place}/export", files=sent(GONE)).text
    (record,) = re.findall(r'name="erased" value="([^"]+)"', clean)
    press(desk, f"{place}/erased", erased=record, looked="1")
    state = house.installation.register.fulfilment(request.id).systems[SYSTEM]
    assert state.status is SystemStatus.DONE


def test_more_lines_than_usual_and_what_was_written_stay_in_sight(house: House) -> None:
    case_id, request_id = asked_for_access(house)
    desk, case = house.staff(), f"/desk/cases/{case_id}"
    place = f"{case}/requests/{request_id}/systems/{SYSTEM}"
    hidden = desk.get(place).text
    assert KARI not in hidden
    press(desk, f"{case}/purpose", purpose="handle", back=place)
    begun = {"task": "1", "rows": "3", "more": "1", "key-2": "sak 2", "nothing": ""}
    longer = desk.post(f"{place}/found", data=begun).text
    assert 'name="key-8"' in longer
    assert 'value="sak 2"' in longer  # more lines cost nothing that was written
    line = {"key-5": "sak 5", "kind-5": "message", "matched-5": "email"}
    again = desk.post(f"{place}/found", data={**line, "task": "1", "rows": "5"})
    assert again.status_code == 422
    assert 'value="sak 5"' in again.text
    assert "linje 5" in again.text
