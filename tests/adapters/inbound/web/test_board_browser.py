"""The board in a real browser: charts under our policy, light and dark, and whole without them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.inbound.web.session import SESSION_COOKIE
from adapters.outbound.sessions import Way
from domain.access import Role
from domain.calendar import load_calendar
from domain.deadlines import add_months, deadlines
from domain.request import DataSubjectRequest
from domain.values import LetterSent
from domain.vocabulary import (
    Channel,
    Country,
    IdentityMethod,
    Language,
    LetterKind,
    Outcome,
    Right,
)
from tests.support.axe import require_accessible
from tests.support.browser import chromium, served
from tests.support.house import NORWAY, House, open_house
from tests.support.past import ref
from tests.support.roles import held
from tests.support.web import web

SHIFTS = """() => new Promise((told) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const one of list.getEntries()) sum += one.value; })
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => told(sum), 150);
})"""
INK = """(place) => {
  const { width, height } = place;
  const all = place.getContext("2d").getImageData(0, 0, width, height).data;
  return all.filter((one, at) => at % 4 === 3 && one > 0).length;
}"""


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """Norway has answered a request in each of three months, and one is open."""
    with open_house(database_url, tmp_path) as opened:
        today = datetime.now(UTC).date()
        for back in (3, 2, 1, 0):
            day = add_months(today, -back)
            request = _received(day)
            if back:
                _answer(request, day + timedelta(days=9 * back))
            opened.installation.register.save_all([request])
        opened.installation.follower().drain()
        yield opened


def _received(day: date) -> DataSubjectRequest:
    return DataSubjectRequest(
        case_id=uuid4(),
        controller=NORWAY,
        profile_version="1",
        country=Country.NO,
        right=Right.ACCESS,
        channel=Channel.MAIL,
        language=Language.NB,
        requester=ref(),
        received_at=_at(day),
        received_on=day,
        promise_days=30,
        dates=deadlines(day, load_calendar(Country.NO), 30),
        act_by=None,
        not_in_policy=False,
        timestamp=_at(day),
    )


def _answer(request: DataSubjectRequest, day: date) -> None:
    at, method = _at(day), IdentityMethod.CODE_TO_ADDRESS
    request.request_identity(method=method, reason="unknown-sender", at=at)
    request.verify_identity(method=method, person=ref(), at=at)
    request.collect_data(found=(), at=at)
    request.approve(decisions=(), profile_version="1", by="ola", at=at)
    sent = LetterSent(LetterKind.ANSWER, "mail", ref(), tuple(Outcome))
    request.send_answer(sent=sent, profile_version="1", at=at)


def _at(day: date) -> datetime:
    return datetime.combine(day, time(9), tzinfo=UTC)


def test_charts_are_drawn_under_our_policy_and_nothing_moves(house: House) -> None:
    house.installation.grants.grant("kim", held(Role.OFFICER), by="eva")
    secret = house.installation.sessions.begin("kim", Way.PASSWORD)
    complaints: list[str] = []
    with chromium() as browser, served(web(house.installation)) as address:
        for scheme, width in (("light", 1280), ("dark", 320)):
            context = browser.new_context(
                color_scheme="dark" if scheme == "dark" else "light",
                viewport={"width": width, "height": 900},
            )
            context.add_cookies([{"name": SESSION_COOKIE, "value": secret, "url": address}])
            page = context.new_page()
            page.on("console", lambda line: complaints.append(line.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(f"{address}/board?lang=en")

            for name in ("Answered in time", "Days to the answer", "Open requests"):
                chart = page.get_by_role("img", name=name)
                chart.locator("canvas").wait_for()
                assert chart.locator("canvas").evaluate(INK) > 500
            assert page.evaluate(SHIFTS) < 0.01
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            require_accessible(page)
            assert complaints == []
            context.close()

        still = browser.new_context(java_script_enabled=False)
        still.add_cookies([{"name": SESSION_COOKIE, "value": secret, "url": address}])
        page = still.new_page()
        page.goto(f"{address}/board?lang=en")
        assert page.locator(".chart").first.is_hidden()
        assert page.get_by_role("row", name="E-mail").is_visible()
        page.get_by_label("Right", exact=True).select_option("access")
        page.get_by_role("button", name="Show").click()
        assert "right=access" in page.url
        page.get_by_role("link", name="1 is open").click()
        assert page.get_by_role("heading", level=1).inner_text().split()[-1] == "1"
