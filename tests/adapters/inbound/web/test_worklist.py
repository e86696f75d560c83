"""The work list: narrowed down by its address, counted, page by page, and given to people."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from adapters.inbound.web import worklist
from domain.vocabulary import Language, Right
from projections.worklist import Due
from services.ports import Member
from tests.support.asking import confirmed
from tests.support.house import NORWAY, SWEDEN, House
from tests.support.steps import press


@pytest.fixture
def busy(house: House) -> House:
    """Two controllers with a few requests each, of different kinds."""
    for number, (controller, rights, language) in enumerate(
        [
            (NORWAY, (Right.ACCESS,), Language.NB),
            (NORWAY, (Right.ERASURE, Right.ACCESS), Language.NB),
            (NORWAY, (Right.RECTIFICATION,), Language.NN),
            (SWEDEN, (Right.ACCESS,), Language.SV),
            (SWEDEN, (Right.PORTABILITY,), Language.EN),
        ]
    ):
        confirmed(house, *rights, controller=controller, text=f"Hei {number}", language=language)
    know(house, "pia", "Pia", SWEDEN)
    know(house, "ola", "Ola")
    house.work()
    return house


def know(house: House, staff_id: str, name: str, *controllers: str) -> None:
    member = Member(
        id=staff_id,
        name=name,
        email=None,
        language=Language.NB,
        deputy=None,
        controllers=frozenset(controllers),
        is_officer=False,
    )
    house.installation.database.run(house.installation.staff.set(member))


def listed(page: str) -> list[str]:
    """The requests on a page, in their order."""
    return re.findall(r'name="request" value="([^"]+)"', page)


def links(page: str) -> list[tuple[str, int]]:
    """The lists that are one press away, each with the number that stands beside it."""
    found = re.findall(r'<a id="to-[^"]+" href="([^"]+)".*?<span class="number">(\d+)</span>', page)
    return [(html.unescape(address), int(number)) for address, number in found]


def test_a_list_says_beforehand_how_much_is_on_it(busy: House) -> None:
    """Every choice leads to as many requests as stood beside it, whatever else is chosen."""
    desk = busy.staff()
    requests = listed(desk.get("/desk").text)
    assert len(requests) == 6
    given = [UUID(one) for one in requests[:2]]
    busy.installation.assigning.assign(given, to="ola", by="ola")
    busy.work()

    for place in ("/desk", "/desk?controller=stundbiljett", "/desk?right=access&assigned=nobody"):
        offered = links(desk.get(place).text)
        assert len(offered) == 3 + len(Due) + 1  # and the only turn that there is
        for address, number in offered:
            there = desk.get(address).text
            # What is chosen already leads back, to the list without it.
            assert "aria-current" in there
            if f'href="{html.escape(address)}" aria-current' not in desk.get(place).text:
                assert len(listed(there)) == number, (place, address)
    assert links(desk.get("/desk").text)[0] == ("/desk?assigned=me", 2)  # "mine" comes first


NARROWED = (
    ("controller=fjordscenen", 4),
    ("right=access", 3),
    ("right=access&controller=stundbiljett", 1),
    ("language=sv", 1),
    ("status=received", 6),
    ("turn=handler", 6),
    ("turn=subject", 0),
    ("blocked=identity-to-ask", 6),
    ("blocked=approval", 0),
    ("system=ticketing", 0),
    ("assigned=nobody", 6),
    ("assigned=me", 0),
    ("assigned=somebody-else", 0),
    ("due=late", 0),
    ("due=later", 6),
    ("due=nonsense", 6),
    ("month=2001-01", 0),
    ("right=nonsense", 0),
    ("after=nonsense", 6),
)


def test_each_filter_narrows_the_list_down(busy: House) -> None:
    desk = busy.staff()
    for query, number in NARROWED:
        page = desk.get(f"/desk?{query}").text
        assert len(listed(page)) == number, query
        if not number:  # and there is a way on from here
            assert page.count('class="button main"') == 1


def test_a_request_is_found_by_its_month_and_by_the_system_it_waits_for(busy: House) -> None:
    desk = busy.staff()
    month = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m}"
    assert len(listed(desk.get(f"/desk?month={month}").text)) == 6
    (work, *_) = busy.installation.database.fetch(
        "UPDATE views.deadline_worklist SET systems_answering = '{mailing}'"
        " WHERE subject_right = 'rectification' RETURNING request_id"
    )
    assert listed(desk.get("/desk?system=mailing").text) == [str(work["request_id"])]


def test_a_missed_date_is_said_once_and_the_weightiest_first(busy: House) -> None:
    busy.installation.database.fetch(
        "UPDATE views.deadline_worklist SET missed = '{target,promise,statutory}',"
        " reminder = 'late-1' WHERE subject_right = 'rectification' RETURNING 1"
    )
    busy.installation.database.fetch(
        "UPDATE views.deadline_worklist SET reminder = 'half-time-1'"
        " WHERE subject_right = 'portability' RETURNING 1"
    )
    desk = busy.staff()
    late = desk.get("/desk?lang=en&right=rectification").text
    law, promise, aim = (
        late.index(words)
        for words in (
            "the law&#39;s limit was missed",
            "the promise was missed",
            "our aim was missed",
        )
    )
    assert law < promise < aim
    assert "The day to aim for has passed" not in late
    assert "Half the time has gone" in desk.get("/desk?lang=en&right=portability").text


def test_the_head_has_few_entries_and_the_rest_is_one_press_away(busy: House) -> None:
    desk = busy.staff()
    page = desk.get("/desk").text
    head = page[page.index("<nav") : page.index("</nav>")]
    first, _, others = head.partition("<details")
    assert re.findall(r'href="([^"]+)"', first) == [
        "/desk",
        "/desk/inbox",
        "/desk/cases",
        "/board",
    ]
    second = re.findall(r'href="([^"]+)"', others)
    assert second == ["/desk/holds", "/desk/errands", "/desk/findings", "/desk/staff", "/outbox"]
    assert 'href="/desk/holds" aria-current="page"' in desk.get("/desk/holds").text


def test_nobody_narrows_down_to_what_is_not_theirs(busy: House) -> None:
    other = busy.staff(SWEDEN, staff="pia")
    assert len(listed(other.get("/desk").text)) == 2
    theirs = other.get("/desk?controller=fjordscenen").text
    nobodys = other.get("/desk?controller=nowhere").text
    assert listed(theirs) == []
    assert theirs.replace("fjordscenen", "nowhere") == nobodys


def test_pages_show_everything_once_and_keep_their_addresses(
    busy: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = busy.staff()
    everything = listed(desk.get("/desk").text)
    monkeypatch.setattr(worklist, "AT_ONCE", 2)
    seen, place = list[str](), "/desk"
    while place:
        page = desk.get(place).text
        seen += listed(page)
        onward = re.search(r'href="([^"]+)" rel="next"', page)
        place = html.unescape(onward[1]) if onward else ""
    assert seen == everything

    narrow = desk.get("/desk?right=access").text
    onward = re.search(r'href="([^"]+)" rel="next"', narrow)
    assert onward is not None
    assert "right=access" in onward[1]


def test_many_are_given_at_once_and_the_page_tells_what_became_of_each(busy: House) -> None:
    desk = busy.staff()
    requests = listed(desk.get("/desk?lang=en").text)
    one, *others = (busy.installation.register.request(UUID(word)) for word in requests)
    busy.installation.assigning.assign([one.id], to="ola", by="ola")
    closed = next(one for one in others if one.controller == NORWAY)
    busy.installation.refusing.withdraw(closed.id, by="ola")
    busy.work()
    assert busy.installation.register.request(closed.id).status.value == "closed"

    told = press(desk, "/desk/assign", to="ola", request=requests, back="due=later&x=1")

    assert "4 requests were given to Ola." in told
    assert "Ola had 1 already." in told
    assert "1 was closed meanwhile." in told
    assert 'name="back" value="due=later"' in told
    norwegian = listed(desk.get("/desk?controller=fjordscenen").text)
    told = press(desk, "/desk/assign", to="pia", listed=norwegian, all="yes")
    assert f"{len(norwegian)} are of an organisation that Pia does not work for." in told
    assert "Nothing was chosen" in press(desk, "/desk/assign", to="pia", listed=requests[:2])
    assert desk.post("/desk/assign", data={"to": "x", "request": requests[0]}).status_code == 422


def test_nobody_gives_away_what_is_not_theirs(busy: House) -> None:
    requests = listed(busy.staff().get("/desk?controller=fjordscenen").text)
    other = busy.staff(SWEDEN, staff="pia")
    before = busy.events()
    assert other.post("/desk/assign", data={"to": "pia", "request": requests}).status_code == 404
    assert busy.events() == before


def test_an_empty_list_says_what_to_do_next(house: House) -> None:
    desk = house.staff()
    assert 'class="button main" href="/desk/cases"' in desk.get("/desk").text
    house.receive("Jeg ber om innsyn.")
    page = desk.get("/desk").text
    assert 'class="button main" href="/desk/inbox"' in page
    assert page.count('button main"') == 1


def one_primary_action(desk: TestClient, address: str) -> int:
    return len(re.findall(r'class="(?:button )?main"', desk.get(address).text))


def test_every_list_has_one_primary_action(busy: House) -> None:
    busy.receive("Jeg ber om innsyn.")
    desk = busy.staff()
    assert one_primary_action(desk, "/desk") == 1
    assert one_primary_action(desk, "/desk/inbox") == 1
    assert one_primary_action(desk, "/desk/search") == 1
    assert one_primary_action(desk, "/desk/cases?outcome=refused") == 1


def test_all_requests_stand_on_one_list_the_closed_ones_too(busy: House) -> None:
    desk = busy.staff()
    request = busy.installation.register.request(UUID(listed(desk.get("/desk").text)[0]))
    busy.installation.refusing.withdraw(request.id, by="ola")
    busy.work()
    number = busy.case(request.case_id).reference
    lines = re.compile(r"<tr data-row>")
    assert len(lines.findall(desk.get("/desk/cases").text)) == 6
    withdrawn = desk.get("/desk/cases?outcome=withdrawn").text
    assert len(lines.findall(withdrawn)) == 1
    assert number in withdrawn
    assert len(lines.findall(desk.get("/desk/cases?outcome=open&open=15%2B").text)) == 5
    assert len(lines.findall(desk.get("/desk/cases?channel=mail&right=access").text)) == 3
    other = busy.staff(SWEDEN, staff="pia")
    assert len(lines.findall(other.get("/desk/cases").text)) == 2
    assert not lines.findall(other.get("/desk/cases?controller=fjordscenen").text)
