"""A house with something of everything in it, and the address of every page there is.

A page that no list here knows fails `tests/browser/test_every_page.py`; so does one that is gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient

from adapters.outbound.links import PostgresLinks
from domain.access import Role
from domain.vocabulary import IdentifierKind, LetterKind, Match, Right
from services.holds import LINK
from services.ports import Identifier
from tests.support.asking import approved, collected, confirmed, verified
from tests.support.errands import OWNER, code_in, link_in, mails_to, with_owner
from tests.support.house import KARI, NORWAY, SWEDEN, House
from tests.support.roles import held, in_role
from tests.support.steps import press, reveal
from tests.support.visitors import ask, open_page, send
from tests.support.web import routes

FILES = frozenset(
    {
        "/board/report",
        "/board/{name}.csv",
        "/desk/looks.csv",
        "/desk/cases/{case_id}/archive.zip",
        "/desk/cases/{case_id}/attachments/{number}",
        "/desk/cases/{case_id}/files/{file_id}",
        "/desk/cases/{case_id}/letters/{letter_id}/letter.pdf",
        "/desk/cases/{case_id}/requests/{request_id}/archive-records.zip",
        "/desk/cases/{case_id}/requests/{request_id}/information/documents/{number}",
        "/desk/cases/{case_id}/requests/{request_id}/package.zip",
        "/desk/cases/{case_id}/requests/{request_id}/portable.zip",
        "/desk/cases/{case_id}/requests/{request_id}/systems/{system}/list.csv",
    }
)
"""What is fetched and not looked at."""
PASSAGES = frozenset({"/desk/sign-in/back", "/prove/eid/back"})
"""Where providers send people back to: they lead on, and show nothing of their own."""
MACHINES = ("/v1/", "/health", "/metrics", "/schemas/")


@dataclass(frozen=True, slots=True)
class Page:
    """One page as somebody opens it: its route, its address, and in whose browser."""

    route: str
    address: str
    who: str = "nobody"
    note: str = ""

    @property
    def name(self) -> str:
        return f"{self.route} {self.note}".strip()


@dataclass
class Town:
    """The house, the browsers of those in it, and every page that they can open."""

    house: House
    browsers: dict[str, TestClient]
    pages: list[Page] = field(default_factory=list)
    cases: dict[str, UUID] = field(default_factory=dict)

    def open(self, page: Page, **parameters: str) -> str:
        answer = self.browsers[page.who].get(page.address, params=parameters)
        assert answer.status_code == 200, f"{page.name}: {answer.status_code}"
        return answer.text

    def cookies(self, who: str) -> list[Any]:
        """What this browser keeps, for another browser on loopback."""
        return [
            {"name": c.name, "value": c.value or "", "domain": "127.0.0.1", "path": c.path}
            for c in self.browsers[who].cookies.jar
        ]


def page_routes() -> frozenset[str]:
    """Every address that answers a GET with a page."""
    return frozenset(
        route.path or ""
        for route in iter_route_contexts(routes())
        if isinstance(route.original_route, APIRoute)
        and "GET" in (route.methods or ())
        and not (route.path or "").startswith(MACHINES)
    )


def inhabited(house: House) -> Town:
    """Fill the house, and open every page once."""
    person, desk = house.visitor(), house.staff()
    auditor = held(Role.AUDITOR, NORWAY)
    browsers = {
        "nobody": house.visitor(),
        "person": person,
        "handler": desk,
        "newcomer": house.staff(SWEDEN, staff="pia"),
        "officer": in_role(house, held(Role.OFFICER, NORWAY), staff="odd"),
        "auditor": in_role(house, auditor, staff="aud"),
        "operator": in_role(house, held(Role.OPERATOR), staff="opal"),
        "owner": in_role(house, held(Role.SYSTEM_OWNER, NORWAY, "web"), staff="ove"),
        "holder": house.visitor(),
        "decider": in_role(house, held(Role.DECISION_MAKER, NORWAY), staff="berit"),
    }
    town = Town(house, browsers)
    add = town.pages.extend
    add(_portal(town))
    add(_desk(town))
    add(_afterwards(town))
    add(_one_case(town))
    add(_found(town))
    add(_running(town))
    add(_by_link(town))
    house.work()
    return town


# What the person sees


def _portal(town: Town) -> Iterator[Page]:
    house = town.house
    yield Page("/", "/")
    yield Page("/c/{controller}", f"/c/{NORWAY}")
    yield Page("/c/{controller}/stop", f"/c/{NORWAY}/stop")
    sent = send(house.visitor(), "access", email="sent@person.example")
    yield Page("/c/{controller}/sent/{names}/{day}/{how}", sent.headers["location"])
    link = house.installation.one_click.link(NORWAY, KARI)
    yield Page("/stop/{secret}", link.removeprefix(house.installation.settings.address))

    town.cases["asked"] = ask(house, "access", "rectification", text="Billettene i fjor.")
    follow = open_page(house, town.browsers["person"])
    yield Page("/follow/{secret}", follow, note="closed")
    yield Page("/follow/{secret}", follow, "person", "open")
    desk, case = town.browsers["handler"], f"/desk/cases/{town.cases['asked']}"
    reveal(desk, case)
    press(
        desk,
        f"{case}/confirm",
        right=["access", "rectification"],
        language="nb",
        kind="email",
        value=KARI,
    )
    access = house.case(town.cases["asked"]).request_id(Right.ACCESS)
    house.installation.questions.ask_scope(access, words="Alt, eller billettene?", by="ola")
    house.work()
    yield Page("/follow/{secret}/withdraw/{right}", f"{follow}/withdraw/access", "person")

    asked = confirmed(house, Right.ACCESS, text="Innsyn, takk.")
    house.installation.identity.ask(asked, reason="unknown-sender", by="ola")
    house.work()
    yield Page("/prove/{secret}", house.link("prove"))


def _afterwards(town: Town) -> Iterator[Page]:
    """An answer to fetch, one that went to the wrong person, and what a law keeps."""
    house, desk = town.house, town.browsers["handler"]
    town.cases["answered"] = approved(house, Right.ACCESS, text="Innsyn, en gang til.")
    house.work()
    yield Page("/answer/{secret}", house.link("answer"))
    answered = approved(house, Right.ACCESS, text="Innsyn i alt.")
    house.work()
    letter = next(
        one.id for one in house.case(answered).letters.values() if one.kind is LetterKind.ANSWER
    )
    case = f"/desk/cases/{answered}"
    reveal(desk, case)
    yield Page("/desk/cases/{case_id}/letters/{letter_id}", f"{case}/letters/{letter}", "handler")
    press(desk, f"{case}/letters/{letter}/wrong-person")
    town.cases["misdirected"] = answered
    yield Page("/desk/cases/{case_id}/breaches", f"{case}/breaches", "handler")
    yield Page("/desk/cases/{case_id}", case, "handler", "misdirected")

    shop = house.systems.system(SWEDEN, "shop")
    shop.hold(KARI, "invoice", "i1", anchors={"voucher": date(2026, 10, 1)})
    known = (
        Identifier(IdentifierKind.EMAIL, KARI),
        Identifier(IdentifierKind.PHONE, "40 00 00 00"),
    )
    erased = collected(house, Right.ERASURE, controller=SWEDEN, text="Radera", identifiers=known)
    request = house.case(erased).request_id(Right.ERASURE)
    house.installation.deciding.approve(request, by="ola", considered=True, tell=True)
    house.work()
    hold = next(
        one for one in house.installation.held.of_case(house.case(erased)) if one.tell is not None
    )
    links = PostgresLinks(house.installation.database)
    secret, kept = links.issue(hold.id, purpose=LINK, valid_for=timedelta(days=1))
    house.installation.register.save_all([], kept)
    yield Page("/kept/{secret}", f"/kept/{secret}")
    case = f"/desk/cases/{erased}"
    reveal(desk, case)
    yield Page("/desk/cases/{case_id}", case, "handler", "erased")


# What staff see


def _desk(town: Town) -> Iterator[Page]:
    """The lists, with something in them and with nothing."""
    house, desk = town.house, town.browsers["handler"]
    yield Page("/desk/sign-in", "/desk/sign-in")
    house.installation.staff.know("nora", "Nora Testesen")
    invitation = house.installation.accounts.invite("nora", by="opal")
    yield Page("/desk/invited/{secret}", f"/desk/invited/{invitation}")
    reveal(desk, "/outbox")
    waiting = house.receive("Slett alt dere har om meg.", subject="Sletting")
    yield Page("/desk/inbox/{case_id}", f"/desk/inbox/{waiting}", "handler", "shut")
    for who, note in (("handler", ""), ("newcomer", "empty")):
        for route in LISTS:
            yield Page(route, route, who, note)
    yield Page("/desk/account", "/desk/account", "handler")
    yield Page("/desk/inbox/{case_id}", f"/desk/inbox/{waiting}", "auditor", "auditor")
    yield Page("/desk", "/desk?right=portability", "handler", "nothing such")
    yield Page("/desk/cases", "/desk/cases?right=portability", "handler", "nothing such")
    yield Page("/board", "/board", "handler")
    yield Page("/board", "/board", "newcomer", "empty")
    yield Page("/board/stops", "/board/stops", "handler")
    yield Page("/board/now/{what}", "/board/now/by-hand", "handler")
    yield Page("/board/now/{what}", "/board/now/parked", "officer", "empty")


LISTS = (
    "/desk",
    "/desk/inbox",
    "/desk/cases",
    "/desk/search",
    "/desk/findings",
    "/desk/holds",
    "/desk/errands",
    "/desk/staff",
    "/outbox",
)


def _one_case(town: Town) -> Iterator[Page]:
    """A request for access with a match that may be another's, and tasks for people."""
    house, desk = town.house, town.browsers["handler"]
    held_there = house.systems.system(NORWAY, "ticketing")
    held_there.hold(KARI, "order", "o1", fields={"email": KARI, "note": "x" * 300})
    other = {"name": "Kari Testesen", "email": "another@person.example"}
    held_there.hold(KARI, "order", "o2", match=Match.SAME_NAME, fields=other)
    case_id = verified(house, Right.ACCESS, Right.ERASURE, text="Innsyn, og slett etterpå.")
    house.work()
    town.cases["open"] = case_id
    place, request_id = f"/desk/cases/{case_id}", house.case(case_id).request_id(Right.ACCESS)
    yield Page("/desk/cases/{case_id}", place, "auditor", "auditor")
    yield Page("/desk/cases/{case_id}", place, "officer", "shut")
    reveal(desk, place)
    yield Page("/desk/cases/{case_id}", place, "handler", "tasks")
    yield Page("/desk/cases/{case_id}", f"{place}?as_of={date.today()}", "handler", "past")  # noqa: DTZ011
    yield Page(
        "/desk/cases/{case_id}/requests/{request_id}/systems/{system}",
        f"{place}/requests/{request_id}/systems/web",
        "handler",
    )
    for name in ("timeline", "mistakes", "letters/write", "letters/preview"):
        kind = "?kind=clarification" if "letters" in name else ""
        yield Page(f"/desk/cases/{{case_id}}/{name}", f"{place}/{name}{kind}", "handler")


def _found(town: Town) -> Iterator[Page]:
    """Everything was found: a match waits to be judged, and an erasure to be decided."""
    house, desk = town.house, town.browsers["handler"]
    case_id = collected(house, Right.ACCESS, Right.ERASURE, text="Alt, og slett det så.")
    house.work()
    place, request_id = f"/desk/cases/{case_id}", house.case(case_id).request_id(Right.ACCESS)
    reveal(desk, place)
    yield Page("/desk/cases/{case_id}", place, "handler", "matches")
    records = f"{place}/requests/{request_id}/records"
    yield Page("/desk/cases/{case_id}/requests/{request_id}/records", records, "handler")
    record = next(iter(house.installation.register.request(request_id).found))
    yield Page(
        "/desk/cases/{case_id}/requests/{request_id}/records/{record_id}",
        f"{records}/{record}",
        "handler",
    )
    town.cases["found"] = case_id


def _running(town: Town) -> Iterator[Page]:
    """Those who own a system, and those who run the installation."""
    yield Page("/desk/tasks", "/desk/tasks", "owner")
    for name in ("", "/people", "/systems", "/tokens"):
        yield Page(f"/desk/admin{name}", f"/desk/admin{name}", "operator")
    yield Page("/desk/admin/people/{staff_id}", "/desk/admin/people/nora", "operator")
    told = "/desk/admin/systems/{controller}/{system}"
    yield Page(told, f"/desk/admin/systems/{NORWAY}/mailing", "operator")
    yield Page("/desk/admin/profiles", "/desk/admin/profiles", "decider")
    yield Page("/desk/admin/profiles/{controller}", f"/desk/admin/profiles/{NORWAY}", "decider")
    yield Page("/desk/admin", "/desk/admin", "auditor", "auditor")
    yield Page("/desk/looks", "/desk/looks", "officer")
    yield Page("/desk/looks", "/desk/looks?purpose=fault", "auditor", "nothing such")


# Who answers by a link


def _by_link(town: Town) -> Iterator[Page]:
    """Whoever answers for the website's log: the door, what is asked, and all of it."""
    house, browser = town.house, town.browsers["holder"]
    with_owner(house)
    house.work()
    house.installation.errands.pass_over()
    house.work()
    yield Page("/desk/errands", "/desk/errands", "handler", "asked")
    link = link_in(mails_to(house, OWNER)[-1])
    yield Page("/answer-for/{secret}", link)
    browser.post(f"{link}/code")
    house.work()
    code = code_in(mails_to(house, OWNER, "errand-code")[-1])
    answer = browser.post(link, data={"code": code})
    yield Page("/answer-for/{secret}", f"{link}?sent=1", note="code sent")
    yield Page("/errands/{errand_id}", answer.url.path, "holder")
    yield Page("/errands", "/errands", "holder")
