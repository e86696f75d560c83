"""Somebody without an account: asks through the portal, and follows the link that comes by mail."""

from __future__ import annotations

import re
from uuid import UUID

from fastapi.testclient import TestClient
from httpx2 import Response

from domain.case import reference
from tests.support.house import KARI, NORWAY, House


def send(
    browser: TestClient, *rights: str, controller: str = NORWAY, path: str = "", **fields: str
) -> Response:
    """Open the form, fill it in and send it; answers what comes first, not where that leads."""
    address = f"/c/{controller}{path}"
    found = re.search(r'name="key" value="([^"]+)"', browser.get(address).text)
    assert found is not None
    data = {"key": found[1], "right": list(rights), "email": KARI, **fields}
    return browser.post(address, data=data, follow_redirects=False)


def ask(house: House, *rights: str, **fields: str) -> UUID:
    """Send the form and let the house work; answers the case."""
    answer = send(house.visitor(), *rights, **fields)
    assert answer.status_code == 303, answer.text
    name = answer.headers["location"].split("/")[4].split("_")[0]
    house.work()
    (case_id,) = (one for one in cases(house) if reference(one) == name)
    return case_id


def cases(house: House) -> list[UUID]:
    rows = house.installation.database.fetch(
        "SELECT originator_id FROM trettio.log WHERE topic = 'case.arrived'"
        " ORDER BY notification_id"
    )
    return [row["originator_id"] for row in rows]


def open_page(house: House, browser: TestClient, code: str = "") -> str:
    """Follow the newest link and enter the newest code; answers the page's address."""
    link = house.link("follow")
    answer = browser.post(link, data={"code": code or house.newest_code()})
    assert answer.status_code == 200, answer.text
    return link
