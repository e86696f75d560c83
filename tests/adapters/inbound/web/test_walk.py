"""From a message to a closed case, through the pages alone."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date
from uuid import UUID

from fastapi.testclient import TestClient

from domain.request import Status
from domain.vocabulary import Match, Right
from tests.support.house import KARI, NORWAY, House
from tests.support.steps import press

ASKS_BOTH = (
    "Hei, jeg vil ha innsyn i alle opplysninger dere har om meg, og deretter vil jeg at dere "
    "sletter meg.\nHilsen Kari"
)


def test_a_message_is_carried_to_closed_through_the_pages(house: House) -> None:
    plant(house)
    case_id = house.receive(ASKS_BOTH, subject="Innsyn og sletting")
    desk = house.staff()
    case = f"/desk/cases/{case_id}"

    listed = desk.get("/desk/inbox?lang=en").text
    assert house.case(case_id).reference in listed
    assert "Innsyn og sletting" not in listed  # the subject is the person's, and stays in the vault

    before = desk.get(case).text
    assert KARI not in before
    assert "Hilsen Kari" not in before
    press(desk, f"{case}/purpose", purpose="handle")
    shown = desk.get(case).text
    assert KARI in shown
    assert "Hilsen Kari" in shown

    press(
        desk,
        f"{case}/confirm",
        right=["access", "erasure"],
        language="nb",
        kind=["email", "name"],
        value=[KARI, "Kari Testesen"],
    )
    house.work()
    assert "Innsyn" in desk.get("/desk?lang=nb").text

    press(desk, f"{case}/identity/ask", reason="unknown-sender")
    house.work()
    wrong = desk.post(f"{case}/identity/code", data={"code": "0000 0000"})
    assert wrong.status_code == 422
    assert 'value="0000 0000"' in wrong.text
    press(desk, f"{case}/identity/code", code=house.newest_code())
    house.work()

    access, erasure = (house.case(case_id).request_id(r) for r in (Right.ACCESS, Right.ERASURE))
    nothing_by_hand(house, desk, case, access)
    weak = decide_weak_match(desk, case, access)
    assert status(house, access) is Status.COLLECTED
    assert weak not in [
        r.record_id for r in house.installation.register.request(access).own_records
    ]
    press(desk, f"{case}/requests/{access}/approve", words="Med vennlig hilsen oss.")
    house.work()
    assert "Med vennlig hilsen oss." in desk.get(case).text

    nothing_by_hand(house, desk, case, erasure)
    page = desk.get(f"{case}?lang=en").text
    assert " · confirmed · Trettio</title>" in page
    assert "Decide and approve" in page
    press(desk, f"{case}/requests/{erasure}/approve", considered="1")
    house.work()
    assert status(house, erasure) is Status.CLOSED

    content = fetch_answer(house)
    assert "data.json" in zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert status(house, access) is Status.CLOSED
    house.work()
    assert house.case(case_id).reference not in desk.get("/desk").text
    page = desk.get(case).text
    assert "Nothing left to do" in page
    assert " · closed · Trettio</title>" in page


def plant(house: House) -> None:
    """A paid order, its invoice, a subscription, and somebody with the same name."""
    held = house.systems.system(NORWAY, "ticketing")
    anchors = {"order_completed": date(2026, 5, 1), "voucher": date(2026, 5, 1)}
    held.hold(KARI, "order", "o1", flags=frozenset({"paid"}), anchors=anchors)
    held.hold(KARI, "invoice", "i1", flags=frozenset({"paid"}), anchors=anchors)
    held.hold(KARI, "order", "o2", match=Match.SAME_NAME, fields={"name": "Kari Testesen"})
    house.systems.system(NORWAY, "mailing").hold(KARI, "member", "m1")


def nothing_by_hand(house: House, desk: TestClient, case: str, request_id: UUID) -> None:
    fulfilment = house.installation.register.fulfilment(request_id)
    for name, state in fulfilment.systems.items():
        if state.waits_for == "look-up":
            press(
                desk,
                f"{case}/requests/{request_id}/systems/{name}/found",
                nothing="searched-nothing-held",
            )


def decide_weak_match(desk: TestClient, case: str, request_id: UUID) -> UUID:
    """Reject the record that only shares a name, with the form on the page."""
    page = desk.get(case).text
    (record_id,) = re.findall(r'name="record" value="([^"]+)"', page)
    fields = {"record": record_id, f"theirs-{record_id}": "no:namesake"}
    press(desk, f"{case}/requests/{request_id}/matches", **fields)
    return UUID(record_id)


def fetch_answer(house: House) -> bytes:
    person = house.visitor()
    link = house.link("answer")
    assert person.get(link).status_code == 200
    press(person, f"{link}/code")
    house.work()
    assert person.post(link, data={"code": "1"}).status_code == 422
    answer = person.post(link, data={"code": house.newest_code()})
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["cache-control"] == "no-store"
    return answer.content


def status(house: House, request_id: UUID) -> Status:
    found: Status = house.installation.register.request(request_id).status
    return found
