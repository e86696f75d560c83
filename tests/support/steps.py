"""What a member of staff does with the pages' forms, a line each."""

from __future__ import annotations

import re
from uuid import UUID

from fastapi.testclient import TestClient

from tests.support.house import KARI, House


def press(browser: TestClient, address: str, **fields: str | list[str]) -> str:
    """Send a form as a browser does, and follow to the page it leads to."""
    answer = browser.post(address, data=fields)
    assert answer.status_code == 200, re.findall(r'role="alert".*', answer.text)
    assert answer.history, "a form that changed something leads to a page"
    assert answer.history[0].status_code == 303
    return answer.text


def reveal(browser: TestClient, address: str) -> None:
    press(browser, f"{address}/purpose", purpose="handle")


def confirm(browser: TestClient, case: str, *rights: str, address: str = KARI) -> None:
    press(
        browser,
        f"{case}/confirm",
        right=list(rights),
        language="nb",
        kind=["email", "name"],
        value=[address, "Kari Testesen"],
    )


def asked_for_access(house: House, *, by_code: bool = False) -> tuple[UUID, UUID]:
    """A confirmed and proven request for access, with the systems searched."""
    case_id = house.receive("Jeg ber om innsyn i det dere har om meg.")
    desk = house.staff()
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    confirm(desk, case, "access")
    if by_code:
        press(desk, f"{case}/identity/ask", reason="unknown-sender")
        house.work()
        press(desk, f"{case}/identity/code", code=house.newest_code())
    else:
        press(desk, f"{case}/identity/verified", method="in-person")
    house.work()
    return case_id, house.case(case_id).request_ids[0]
