"""What an installation lives through before it is upgraded: a case at every stage.

Run by `make.py` in the tree of the tagged version, whose own test helpers it uses.
"""

from __future__ import annotations

import sys
from datetime import date
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

from adapters.inbound.mail import parse
from domain.request import Status
from domain.vocabulary import Channel, Match, Right, TriageKind
from services.ports import Person, Result, Treatment, Unavailable
from services.worker import KINDS
from tests.support.fake_systems import FakeSystem
from tests.support.house import NORWAY, SWEDEN, House, open_house
from tests.support.steps import press, reveal

PAID: dict[str, Any] = {
    "flags": frozenset({"paid"}),
    "anchors": {"order_completed": date(2026, 5, 1), "voucher": date(2026, 5, 1)},
}


class AwayHalfWay(FakeSystem):
    """Erases one record, and does not answer any more."""

    away = False

    def erase(self, person: Person, treatment: Treatment, *, key: str) -> Result:
        if self.away:
            raise Unavailable("connection")
        self.away = True
        return super().erase(person, treatment, key=key)


def live(house: House) -> None:
    """The last ones are left as a killed process leaves them: work due, leased, views behind."""
    systems = house.systems.made
    systems[NORWAY, "ticketing"] = FakeSystem()
    closed(house, "ferdig", NORWAY, "ticketing")
    closed(house, "klar", SWEDEN, "shop")
    refused(house)
    set_aside(house)
    house.receive("Hei, jeg har mistet billetten min til lørdag.", subject="Billett")
    house.receive("Jag vill veta vilka uppgifter ni har om mig.", controller=SWEDEN)
    ask_identity(house, "innsyn-1", Right.ACCESS)
    matches_wait(house)
    half_erased(house)
    letter_queued(house)
    leased(house)


def closed(house: House, name: str, controller: str, system: str) -> None:
    """Access and erasure, answered and closed; an invoice is kept.

    What was uploaded is gone, except where the archive must have it first.
    """
    house.systems.system(controller, system).hold(address(name), "order", "o1", **PAID)
    house.systems.system(controller, system).hold(address(name), "invoice", "i1", **PAID)
    case_id = verified(house, name, Right.ACCESS, Right.ERASURE, controller=controller)
    for right in (Right.ACCESS, Right.ERASURE):
        approve(house, case_id, right)
    person, link = house.visitor(), house.link("answer")
    press(person, f"{link}/code")
    house.work()
    fetched = person.post(link, data={"code": house.newest_code()})
    assert fetched.headers["content-type"] == "application/zip"
    house.work()
    requests = house.installation.register.requests_of(house.case(case_id))
    assert {request.status for request in requests} == {Status.CLOSED}


def refused(house: House) -> None:
    case_id = verified(house, "avslag", Right.ACCESS)
    request_id = house.case(case_id).request_id(Right.ACCESS)
    words = "Du spør for sjuende gang denne måneden."
    place = f"/desk/cases/{case_id}/requests/{request_id}/refuse"
    press(desk(house, case_id), place, ground="excessive", words=words, second="eva")
    house.work()


def set_aside(house: House) -> None:
    case_id = house.receive("Nytt program for våren!", subject="Program")
    house.installation.intake.set_aside(case_id, kind=TriageKind.SPAM, by="ola")
    house.work()


def matches_wait(house: House) -> None:
    ticketing = house.systems.system(NORWAY, "ticketing")
    ticketing.hold(address("navnesøster"), "order", "o2", **PAID)
    ticketing.hold(address("navnesøster"), "order", "o3", match=Match.SAME_NAME)
    case_id = verified(house, "navnesøster", Right.ERASURE)
    status(house, case_id, Right.ERASURE, Status.COLLECTED)


def half_erased(house: House) -> None:
    away = AwayHalfWay()
    house.systems.made[NORWAY, "ticketing"] = away
    for number in range(3):
        away.hold(address("halvveis"), "customer", f"c{number}")
    house.systems.system(NORWAY, "mailing").hold(address("halvveis"), "member", "m1")
    case_id = verified(house, "halvveis", Right.ERASURE)
    approve(house, case_id, Right.ERASURE)
    assert len(away.held) == 2
    status(house, case_id, Right.ERASURE, Status.APPROVED)
    house.systems.made[NORWAY, "ticketing"] = FakeSystem()


def letter_queued(house: House) -> None:
    case_id = arrived(house, "brev", Right.ACCESS)
    press(desk(house, case_id), f"/desk/cases/{case_id}/identity/ask", reason="unknown-sender")


def leased(house: House) -> None:
    """A worker was killed with a task in hand; others are due, and no view has heard of it."""
    case_id = arrived(house, "leid", Right.ACCESS)
    place = f"/desk/cases/{case_id}/identity/verified"
    press(desk(house, case_id), place, method="in-person")
    tasks = house.installation.tasks
    finds = tasks.claim(["find"], worker="killed", lease_seconds=300.0, limit=1)
    assert [task.kind for task in finds] == ["find"]
    assert set(KINDS) >= {"find"}


# Steps


def address(name: str) -> str:
    return f"{name.replace('ø', 'o')}@person.example"


def desk(house: House, case_id: UUID) -> Any:
    browser = house.staff()
    reveal(browser, f"/desk/cases/{case_id}")
    return browser


def arrived(house: House, name: str, *rights: Right, controller: str = NORWAY) -> UUID:
    """A confirmed case of a person of that name."""
    case_id = mailed(house, name, controller)
    press(
        desk(house, case_id),
        f"/desk/cases/{case_id}/confirm",
        right=[right.value for right in rights],
        language="nb",
        kind=["email", "name"],
        value=[address(name), f"Kari {name.title()}"],
    )
    return case_id


def mailed(house: House, name: str, controller: str) -> UUID:
    """A mail with an attachment, as a channel hands it over."""
    mail = EmailMessage()
    mail["From"], mail["To"] = address(name), f"personvern@{controller}.example"
    mail["Subject"] = "Personvern"
    mail["Message-ID"] = f"<{name.encode().hex()}@person.example>"
    mail.set_content(f"Dette gjelder mine opplysninger. Hilsen {name}")
    mail.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="bevis.png")
    message = parse(mail.as_bytes(), trusted_hosts=(), now=house.installation.clock())
    case_id = house.installation.intake.receive(controller, message, channel=Channel.MAIL)
    house.work()
    return case_id


def ask_identity(house: House, name: str, *rights: Right, controller: str = NORWAY) -> UUID:
    case_id = arrived(house, name, *rights, controller=controller)
    press(desk(house, case_id), f"/desk/cases/{case_id}/identity/ask", reason="unknown-sender")
    house.work()
    return case_id


def verified(house: House, name: str, *rights: Right, controller: str = NORWAY) -> UUID:
    """A code came back, and every system was searched."""
    case_id = ask_identity(house, name, *rights, controller=controller)
    press(desk(house, case_id), f"/desk/cases/{case_id}/identity/code", code=house.newest_code())
    house.work()
    nothing_by_hand(house, case_id)
    return case_id


def nothing_by_hand(house: House, case_id: UUID) -> None:
    register = house.installation.register
    for request_id in house.case(case_id).request_ids:
        fulfilment = register.find_fulfilment(request_id)
        for name, state in fulfilment.systems.items() if fulfilment else ():
            if state.waits_for == "look-up":
                place = f"/desk/cases/{case_id}/requests/{request_id}/systems/{name}/found"
                press(desk(house, case_id), place, nothing="searched-nothing-held")
    house.work()


def approve(house: House, case_id: UUID, right: Right) -> None:
    request_id = house.case(case_id).request_id(right)
    place = f"/desk/cases/{case_id}/requests/{request_id}/approve"
    press(desk(house, case_id), place, considered="1")
    house.work()
    nothing_by_hand(house, case_id)


def status(house: House, case_id: UUID, right: Right, expected: Status) -> None:
    request = house.installation.register.request(house.case(case_id).request_id(right))
    assert request.status is expected, request.status


if __name__ == "__main__":
    with open_house(sys.argv[1], Path(sys.argv[2])) as opened:
        live(opened)
