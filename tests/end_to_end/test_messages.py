"""Twenty-two requests in four languages, as they came by mail, each carried to its end.

Every other one goes through the API, the rest through the pages alone; what is no request is set
aside by a person, and what a machine wrote gets no mail at all.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from datetime import date, datetime
from email import message_from_bytes
from email.policy import default
from email.utils import parseaddr
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile
from zoneinfo import ZoneInfo

from adapters.demo.doubles.mailchimp import MailchimpDouble
from domain.case import CaseStatus
from domain.vocabulary import Right
from tests.support.deadline_oracle import expected as expected_dates
from tests.support.forms import Browser
from tests.support.stories import LOOKED, Story

MESSAGES = Path(__file__).parents[1] / "messages"
EXPECTED: dict[str, Any] = json.loads((MESSAGES / "expected.json").read_text(encoding="utf-8"))
REQUESTS = sorted(name for name, one in EXPECTED.items() if one["kind"] == "rights-request")
OTHERS = sorted(set(EXPECTED) - set(REQUESTS))
PROMISED = {"fjordscenen": ("NO", 30), "stundbiljett": ("SE", None)}
FETCHED = {Right.ACCESS, Right.PORTABILITY}
"""The rights whose answer is a copy that the person fetches."""

BY_HAND = "customer-service"
"""A system of both organisations in which only a person can change anything."""

ZONES = {"NO": ZoneInfo("Europe/Oslo"), "SE": ZoneInfo("Europe/Stockholm")}


def test_there_are_enough_requests_in_every_language() -> None:
    spoken = Counter(EXPECTED[name]["language"] for name in REQUESTS)
    assert len(REQUESTS) >= 20
    assert min(spoken[language] for language in ("nb", "nn", "sv", "en")) >= 5


def test_through_the_api(story: Story, mailchimp: MailchimpDouble) -> None:
    for name in REQUESTS[::2]:
        _carried(story, mailchimp, name, _by_api)


def test_through_the_pages(story: Story, mailchimp: MailchimpDouble) -> None:
    for name in REQUESTS[1::2]:
        _carried(story, mailchimp, name, _by_pages)


def test_what_is_no_request_is_set_aside_and_machines_get_no_answer(story: Story) -> None:
    """RFC 3834; a person decides about people's mail, and nobody is written to unasked."""
    for name in OTHERS:
        arrived = story.arrives((MESSAGES / name).read_bytes(), _controller(name))
        assert arrived["kind"] == EXPECTED[name]["kind"], name
        case = story.case(arrived["case_id"])
        automatic = EXPECTED[name]["kind"] == "automatic"
        assert (case.status is CaseStatus.SET_ASIDE) == automatic, name
        if not automatic:
            body = {"kind": arrived["kind"]}
            if arrived["kind"] == "unclear":
                body = {"kind": "customer-service"}
            story.post(f"/v1/cases/{arrived['case_id']}/set-aside", body)
        story.work()
        assert story.case(arrived["case_id"]).status is CaseStatus.SET_ASIDE, name
    assert story.postbox.letters == []


# One message


def _carried(story: Story, mailchimp: MailchimpDouble, name: str, carry: Any) -> None:
    """From the raw mail to closed; dates, letters and their language are right."""
    expected, controller, address = EXPECTED[name], _controller(name), _sender(name)
    mailchimp.add_member("news", address)
    (exports := story.installation.settings.exports / "stundbiljett" / "sms").mkdir(
        parents=True, exist_ok=True
    )
    (exports / "export.csv").write_text("Mottagare;Meddelande;Skickat;Ordernummer\n;;;\n")
    arrived = story.arrives((MESSAGES / name).read_bytes(), controller)
    assert {key: arrived[key] for key in ("kind", "rights", "language")} == {
        key: expected[key] for key in ("kind", "rights", "language")
    }, name
    assert datetime.fromisoformat(arrived["received_at"]) == datetime.fromisoformat(
        expected["received_at"]
    ), name

    carry(story, arrived, address)

    case = story.get(f"/v1/cases/{arrived['case_id']}")
    assert [one["right"] for one in case["requests"]] == expected["rights"], name
    for request in case["requests"]:
        assert request["status"] == "closed", (name, request)
        _check_dates(name, request, expected, *PROMISED[controller])
    _check_letters(story, name, address, case)


def _check_dates(
    name: str, request: Any, expected: Any, country: str, promise_days: int | None
) -> None:
    received = datetime.fromisoformat(expected["received_at"]).astimezone(ZONES[country]).date()
    _, law, promise, target = expected_dates(country, received, promise_days)
    told = {
        key: request[key] and date.fromisoformat(request[key])
        for key in ("received_on", "statutory_due", "promise_due", "target_due")
    }
    assert told == {
        "received_on": received,
        "statutory_due": law,
        "promise_due": promise,
        "target_due": target,
    }, name


def _check_letters(story: Story, name: str, address: str, case: Any) -> None:
    """One acknowledgement, one answer per right, all in the person's own language."""
    letters = story.postbox.to(address)
    kinds = Counter(letter.kind for letter in letters)
    assert kinds["acknowledgement"] == 1, name
    assert kinds["answer"] + kinds["partial-refusal"] == len(case["rights"]), (name, kinds)
    words = _words(EXPECTED[name]["language"])
    for letter in letters:
        assert f'lang="{EXPECTED[name]["language"]}"' in letter.html, name
        assert case["reference"] in letter.subject, name
        if letter.kind != "identity-code":
            assert words in " ".join(letter.text.split()), (name, letter.kind)


def _words(language: str) -> str:
    """How letters of this language say which number the case has."""
    texts = files("services").joinpath("letter_texts", f"{language}.toml").read_text("utf-8")
    return str(tomllib.loads(texts)["lead"]["case"]).partition("{case}")[0].strip()


# Through the API


def _by_api(story: Story, arrived: Any, address: str) -> None:
    case = story.confirm(arrived)
    story.work()
    if not all(one["identified"] for one in story.get(_of(case))["requests"]):
        story.prove(case["case_id"], address)
    for _ in range(2):  # the second time for an erasure that waited for its access answer
        for one in story.get(_of(case))["requests"]:
            if one["status"] not in {"closed", "fulfilled"}:
                _work_off(story, one)
                if Right(one["right"]) in FETCHED:
                    _open(story.fetch(address))
                elif one["status"] == "approved":
                    story.work()


def _work_off(story: Story, request: Any) -> None:
    """Look where no connector can, do what only a person can, and approve."""
    path = f"/v1/requests/{request['request_id']}"
    for name, system in story.systems(request["request_id"]).items():
        if system["waits_for"] == "look-up" and system["status"] != "found":
            story.post(f"{path}/systems/{name}/answer", {"found": [], "reason": LOOKED})
        elif system["action"] == "handle":
            story.post(
                f"{path}/systems/{name}/answer", {"outcome": "manual", "reason": "done-by-hand"}
            )
    story.work()
    if story.request(request["request_id"])["status"] == "collected":
        _decide(story, request["request_id"], Right(request["right"]))


def _decide(story: Story, request_id: str, right: Right) -> None:
    """What has a decision of its own is decided so; the rest is approved."""
    path = f"/v1/requests/{request_id}"
    if right is Right.RECTIFICATION:
        claim = {"field": "name", "ground": "wrong", "wish": "rectify", "value": "Kari Testesen"}
        story.post(f"{path}/claims", {**claim, "category": "communication"}, expect=201)
        (made,) = story.get(f"{path}/claims")
        accepted = {"accepted": True, "system": BY_HAND}
        story.post(f"{path}/claims/{made['claim_id']}/decision", accepted)
        story.post(f"{path}/claims/approve")
        story.work()
        story.post(f"{path}/systems/{BY_HAND}/rectified", {"looked_again": True})
    elif right is Right.RESTRICTION:
        story.post(f"{path}/restriction", {"ground": "a"})
        story.work()
        for system in story.get(f"{path}/restriction")["systems"]:
            if system["waits_for"]:
                story.post(f"{path}/restriction/systems/{system['system']}", {})
    else:
        story.approve(request_id, considered=True)
    story.work()


def _of(case: Any) -> str:
    return f"/v1/cases/{case['case_id']}"


# Through the pages


def _by_pages(story: Story, arrived: Any, address: str) -> None:
    """Only what stands on a page is pressed, with what is filled in already."""
    desk = story.at_the_desk(arrived["case_id"])
    address_of_case = f"/desk/cases/{arrived['case_id']}"
    desk.open(address_of_case)
    desk.press("/confirm")
    story.work()
    desk.open(address_of_case)
    if desk.forms("/identity/ask"):
        desk.press("/identity/ask")
        story.work()
        desk.open(address_of_case)
        desk.press("/identity/code", code=story.postbox.last(address, "identity-code").code)
        story.work()
    _to_the_end(story, desk, address_of_case)
    for right in story.case(arrived["case_id"]).rights:
        if right in FETCHED:
            _open(story.fetch(address))
            _to_the_end(story, desk, address_of_case)


def _to_the_end(story: Story, desk: Browser, address: str) -> None:
    """Press what is left to press, each form once, until there is nothing any more."""
    pressed: set[str] = set()
    while actions := _next_step(desk, address, pressed):
        pressed |= actions
        story.work()


def _next_step(desk: Browser, address: str, pressed: set[str]) -> set[str]:
    desk.open(address)
    if desk.forms("/matches"):
        desk.judge("no:namesake")
        desk.open(address)
    there = {one.action for one in desk.forms("")}
    for pattern, fields in (
        (
            r".*/claims",
            {"record": "category:communication", "field": "name", "value": "Kari Testesen"},
        ),
        (r".*/claims/[0-9a-f-]+", {"verdict": "accept", "system": BY_HAND}),
        (r".*/claims-approve", {}),
        (r".*/rectified", {"looked": "1"}),
        (r".*/restriction", {}),
        (r".*/restriction/(?!end)[\w-]+", {"done": "restricted"}),
        (r".*/balance", _nothing_continues(desk)),
        (r".*/approve", {"considered": "1", "words": "Hilsen oss."}),
        (r".*/done", {}),
        (r".*/found", {"nothing": "searched-nothing-held"}),
    ):
        actions = {action for action in there if re.fullmatch(pattern, action)}
        for action in sorted(actions - pressed):
            desk.open(address)  # what was pressed before has changed the case
            desk.press(action, **fields)
        if actions - pressed:
            return actions
    return set()


def _nothing_continues(desk: Browser) -> dict[str, str]:
    """What is pressed where an objection is weighed: every purpose stops."""
    fields = [field for form in desk.forms("/balance") for field in form.fields]
    return {f"purpose-{purpose}": "stops" for name, purpose in fields if name == "purpose"}


# What is common


def _controller(name: str) -> str:
    _, to = parseaddr(str(_read(name)["To"]))
    return to.partition("@")[2].removesuffix(".example") or "fjordscenen"


def _sender(name: str) -> str:
    return parseaddr(str(_read(name)["From"]))[1]


def _read(name: str) -> Any:
    return message_from_bytes((MESSAGES / name).read_bytes(), policy=default)


def _open(package: bytes) -> None:
    """The copy is whole: it opens, and something is in it."""
    data = json.loads(ZipFile(BytesIO(package)).read("data.json"))
    assert data
