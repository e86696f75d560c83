"""The board: figures with the requests behind them, for who may read it, and nothing personal."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from domain.access import Role
from domain.vocabulary import Language
from projections.board import Selection, count_behind
from projections.projection import civil_dates
from tests.support.house import KARI, NORWAY, SWEDEN, House, open_house
from tests.support.roles import held, in_role
from tests.support.steps import asked_for_access

LARGEST_PAGE = 60_000


@pytest.fixture(scope="module")
def house(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """In Norway one request is open and one message waits; Sweden has had nothing yet."""
    with open_house(module_database_url, tmp_path_factory.mktemp("house")) as opened:
        asked_for_access(opened)
        opened.receive("Slett alt dere har om meg.")
        yield opened


class Links(HTMLParser):
    """The addresses of a page, with the text of each link."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._inside = True
            self.found.append((dict(attrs)["href"] or "", ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "a"

    def handle_data(self, data: str) -> None:
        if self._inside:
            address, text = self.found.pop()
            self.found.append((address, text + data))


def test_every_number_that_leads_to_cases_is_how_many_there_are(house: House) -> None:
    text = house.staff().get("/board?lang=en").text

    counted = 0
    for address, words in Links(text).found:
        if not address.startswith("/desk/cases?") or not words.strip().isdecimal():
            continue
        params = dict(re.findall(r"[?&](\w+)=([^&]*)", address))
        selection = Selection.asked((NORWAY, SWEDEN), params)
        today = civil_dates(house.installation.clock())
        behind = count_behind(house.installation.database, selection, today)
        assert behind == int(words), address
        counted += 1
    assert counted >= 8


def test_the_board_holds_nothing_personal_and_stays_small(house: House) -> None:
    for language in Language:
        text = house.staff().get(f"/board?lang={language.value}").text
        assert KARI not in text
        assert "Testesen" not in text
        assert len(text.encode()) < LARGEST_PAGE
        assert text.count('class="main"') == 1


def test_an_empty_board_says_what_to_do_next(house: House) -> None:
    text = house.staff(SWEDEN).get("/board?lang=en").text
    assert "No request fits what is chosen." in text
    assert '<a href="/desk">' in text
    assert "data-chart" not in text

    narrowed = house.staff().get("/board?lang=en&right=portability").text
    assert "/board?period=all" in narrowed


def test_what_needs_somebody_is_counted_and_listed(house: House) -> None:
    staff = house.staff()
    found = dict(Links(staff.get("/board?lang=en").text).found)
    assert found["/desk/inbox"].startswith("1")

    by_hand = int(found["/board/now/by-hand"].split()[0])
    assert staff.get("/board/now/by-hand").text.count('<li class="row">') == by_hand > 0
    for what in ("second-person", "officer", "breaches", "unavailable"):
        answer = staff.get(f"/board/now/{what}?lang=en")
        assert answer.status_code == 200
        assert "Nothing waits here any more." in answer.text
    for what in ("suspended", "parked"):
        assert staff.get(f"/board/now/{what}").status_code == 200
    assert staff.get("/board/now/anything").status_code == 404


def test_one_controllers_staff_see_its_figures_only(house: House) -> None:
    theirs = house.staff(SWEDEN)

    assert "No request fits what is chosen." in theirs.get("/board?lang=en").text
    asked = theirs.get(f"/board?lang=en&controller={NORWAY}")
    assert "No request fits what is chosen." in asked.text
    assert NORWAY not in theirs.get("/board/controllers.csv").text
    assert f'"{NORWAY}";"1"' in house.staff(NORWAY).get("/board/controllers.csv").text


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.HANDLER, 200),
        (Role.DECISION_MAKER, 200),
        (Role.OFFICER, 200),
        (Role.AUDITOR, 200),
        (Role.OPERATOR, 403),
        (Role.SYSTEM_OWNER, 403),
    ],
)
def test_who_may_read_the_board(house: House, role: Role, status: int) -> None:
    system = "web" if role is Role.SYSTEM_OWNER else None
    browser = in_role(house, held(role, NORWAY, system), staff=role.value)
    for address in ("/board", "/board/months.csv", "/board/now/officer"):
        assert browser.get(address).status_code == status


@pytest.mark.parametrize(
    "name", ["all", "controllers", "rights", "channels", "months", "systems", "now"]
)
def test_every_table_is_a_file_that_excel_opens_in_norway_and_sweden(
    house: House, name: str
) -> None:
    answer = house.staff().get(f"/board/{name}.csv?lang=nb")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert f"trettio-{name}.csv" in answer.headers["content-disposition"]
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}


def test_there_is_no_other_file(house: House) -> None:
    assert house.staff().get("/board/people.csv").status_code == 404


def test_without_scripts_no_room_is_kept_for_charts(house: House) -> None:
    text = house.staff().get("/board").text
    assert re.search(r"<noscript><link [^>]*board_still\.css", text)
    assert " style=" not in text
    assert not re.search(r"<script(?![^>]* src=)", text)


def test_the_months_report_is_there_for_who_may_read_the_board(house: House) -> None:
    month = f"{house.installation.clock():%Y-%m}"
    address = f"/board/report?controller={NORWAY}&month={month}"
    officer = in_role(house, held(Role.OFFICER, NORWAY), staff="officer")

    assert officer.get(f"{address}&kind=pdf").content.startswith(b"%PDF")
    assert officer.get(f"{address}&kind=csv").content.startswith(b"\xef\xbb\xbf")
    assert officer.get(f"{address}&kind=exe").status_code == 404
    assert officer.get(f"/board/report?controller={SWEDEN}&month={month}").status_code == 404
    assert officer.get(f"/board/report?controller={NORWAY}&month=2026-13").status_code == 404


def test_a_system_is_called_what_the_profile_calls_it(house: House) -> None:
    """Recipients that are told stand among the systems, and those named in records only too."""
    (row,) = house.installation.database.fetch(
        "SELECT system FROM views.connector_answers WHERE number > 0 LIMIT 1"
    )
    (recipient, *_) = house.installation.controllers.in_force(NORWAY).recipients
    words = {f"recipient:{recipient.id}": recipient.name}
    words["recipient:others-named-in-records"] = "others, named in the records"
    system = row["system"]
    for system_id, name in words.items():
        house.installation.database.fetch(
            "UPDATE views.connector_answers SET system = %(to)s WHERE system = %(was)s RETURNING 1",
            {"to": system_id, "was": system},
        )
        found = Links(house.staff().get("/board?lang=en").text).found
        assert name in [words for _, words in found]
        system = system_id
