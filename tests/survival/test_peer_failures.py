"""Six failures of the leading open-source peer, each tried on the whole product.

A table that is not there ends an erasure as done; a watchdog throws away what waits for a person;
an export prints a wrong date; one closed port stops the others; tasks stay failed after an outage.
The sixth, a built package that lacks files, is tried in `tests/test_package.py`.
"""

from __future__ import annotations

import csv
import html
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from adapters.demo.doubles.mailchimp import MailchimpDouble
from adapters.demo.doubles.pretix import PretixDouble
from adapters.demo.doubles.server import Double
from adapters.demo.doubles.stripe import StripeDouble
from domain.vocabulary import Right
from projections.open_requests import open_requests
from tests.support.deadline_oracle import expected
from tests.support.reminder_oracle import local_day
from tests.support.stage import decide, open_stage
from tests.support.stories import ORGANISATIONS, Story, raw_mail, request_id

pytestmark = pytest.mark.survival

NORWAY = "fjordscenen"
PETRA, ADDRESS = "Petra Prøve", "petra.prove@post.example"
ERASE = "Hei, jeg vil at dere sletter alle opplysninger dere har om meg.\n\nHilsen Petra"
ACCESS = "Hei, jeg vil ha innsyn i alle opplysninger dere har om meg.\n\nHilsen Petra"
ANSWERS = {"answer", "partial-refusal"}


@dataclass
class Town:
    """A house of culture with its systems, and somebody whom all of them know."""

    ticketing: PretixDouble = field(default_factory=PretixDouble)
    payment: StripeDouble = field(default_factory=StripeDouble)
    mailing: MailchimpDouble = field(default_factory=MailchimpDouble)

    def fill(self) -> None:
        began = datetime.now(UTC)
        for slug in ("konsert", "revy"):
            when = began - timedelta(days=90)
            self.ticketing.add_event(
                slug,
                slug.title(),
                starts=when,
                ends=when + timedelta(hours=2),
                products={"Billett": "0.00"},
            )
            self.ticketing.add_order(
                slug,
                slug[:5].upper(),
                ADDRESS,
                bought_at=when - timedelta(days=9),
                buyer=PETRA,
                status="c",
                tickets=[{"name": PETRA, "email": ADDRESS}],
            )
        self.payment.add_customer(ADDRESS, name=PETRA)
        for audience in ("news", "friends"):
            self.mailing.add_audience(audience, audience.title(), FNAME="Fornavn")
            self.mailing.add_member(audience, ADDRESS)

    @property
    def systems(self) -> dict[str, Double]:
        return {
            "ticketing": self.ticketing,
            "payment": self.payment,
            "mailing": self.mailing,
        }

    @property
    def secrets(self) -> dict[tuple[str, str], dict[str, str]]:
        return {
            (NORWAY, "ticketing"): self.ticketing.configuration,
            (NORWAY, "payment"): {"url": self.payment.url, "key": self.payment.key},
            (NORWAY, "mailing"): {"url": self.mailing.url, "key": self.mailing.key},
        }


@pytest.fixture
def town() -> Iterator[Town]:
    town = Town()
    town.fill()
    with town.ticketing, town.payment, town.mailing:
        yield town


@pytest.fixture
def story(database_url: str, tmp_path: Path, town: Town) -> Iterator[Story]:
    profiles = {NORWAY: ORGANISATIONS / f"{NORWAY}.toml"}
    with open_stage(database_url, tmp_path, profiles, town.secrets) as story:
        decide(story.installation, NORWAY)
        yield story


def asked(story: Story, text: str, right: Right) -> str:
    """A mail comes, is confirmed, and she proves who she is."""
    raw = raw_mail(text, sender=ADDRESS, name=PETRA, arrived=story.moment())
    case = story.confirm(story.arrives(raw, NORWAY))
    request = request_id(case, right)
    story.prove(case["case_id"], ADDRESS)
    story.look_by_hand(request)
    return request


# A renamed or missing table or list ends an erasure as done


def lose_an_audience(town: Town) -> None:
    del town.mailing.audiences["friends"]
    town.mailing.members = {k: v for k, v in town.mailing.members.items() if k[0] != "friends"}


def lose_every_audience(town: Town) -> None:
    town.mailing.audiences.clear()
    town.mailing.members.clear()


def rename_an_event(town: Town) -> None:
    shop = town.ticketing
    shop.events["revy-2027"] = {**shop.events.pop("revy"), "slug": "revy-2027"}
    shop.items["revy-2027"] = shop.items.pop("revy")
    for event, code in [key for key in shop.orders if key[0] == "revy"]:
        shop.orders["revy-2027", code] = {**shop.orders.pop((event, code)), "event": "revy-2027"}


def lose_an_event(town: Town) -> None:
    shop = town.ticketing
    del shop.events["revy"], shop.items["revy"]
    shop.orders = {key: order for key, order in shop.orders.items() if key[0] != "revy"}


def take_another_account(town: Town) -> None:
    for things in town.payment.things.values():
        things.clear()


DISASTERS: dict[Callable[[Town], None], str] = {
    lose_an_audience: "mailing",
    lose_every_audience: "mailing",
    rename_an_event: "ticketing",
    lose_an_event: "ticketing",
    take_another_account: "payment",
}


@pytest.mark.parametrize("stumbles", [False, True], ids=["at-once", "after-a-stumble"])
@pytest.mark.parametrize("disaster", DISASTERS, ids=lambda disaster: str(disaster.__name__))
def test_what_is_not_there_any_more_is_not_erased(
    story: Story, town: Town, disaster: Callable[[Town], None], stumbles: bool
) -> None:
    """Design 3, "table missing" never counts as done; not after an outage either.

    A second try may find nothing because the first one erased it, or because the list is gone.
    """
    system = DISASTERS[disaster]
    request = asked(story, ERASE, Right.ERASURE)
    if stumbles:
        town.systems[system].fail_next(500, 1)
        story.approve(request, considered=True)
        assert story.systems(request)[system]["status"] == "unavailable"
        disaster(town)
        story.pass_time(minutes=5)
        story.work()
    else:
        disaster(town)
        story.approve(request, considered=True)

    standing = {name: one["status"] for name, one in story.systems(request).items()}
    assert standing[system] == "waiting-for-person"
    assert {standing[name] for name in town.systems} == {"waiting-for-person", "done"}
    assert story.request(request)["status"] == "approved"
    assert not ANSWERS & {letter.kind for letter in story.postbox.to(ADDRESS)}


# A request that waits for a person is thrown away by a watchdog


def test_what_waits_for_a_person_waits_for_weeks_and_restarts(
    database_url: str, tmp_path: Path, town: Town
) -> None:
    """Whoever is on holiday finds it all: the unread mail, the unproven person, the open task."""
    profiles, secrets = {NORWAY: ORGANISATIONS / f"{NORWAY}.toml"}, town.secrets

    def opened() -> AbstractContextManager[Story]:
        return open_stage(database_url, tmp_path, profiles, secrets)

    with opened() as story:
        decide(story.installation, NORWAY)
        unread = _arrives(story, ACCESS, "una.ulest@post.example")
        unproven = story.confirm(_arrives(story, ERASE, "ulf.ubevist@post.example"))
        wait = story.confirm(_arrives(story, ERASE, ADDRESS))
        request = request_id(wait, Right.ERASURE)
        right_key, town.mailing.key = town.mailing.key, "somebody changed it"
        story.prove(wait["case_id"], ADDRESS)
        before = _standing(story, request)
        assert before["mailing"] == ("waiting-for-person", "refused")
        assert before["archive"] == ("waiting-for-person", "look-up")

    for week in range(1, 10):
        with opened() as story:
            story.moment.later = timedelta(weeks=week - 1)
            story.pass_time(weeks=1)
            _everything_that_happens_by_itself(story)
            assert _standing(story, request) == before

    with opened() as story:
        story.moment.later = timedelta(weeks=9)
        # The mail can be read, the person can still prove who they are, the work goes on.
        texts = str(story.get(f"/v1/cases/{unread['case_id']}/messages"))
        assert "innsyn i alle opplysninger" in texts
        case = story.confirm(unread)
        assert story.request(request_id(case, Right.ACCESS))["status"] == "received"
        story.prove(unproven["case_id"], "ulf.ubevist@post.example")
        assert story.request(request_id(unproven, Right.ERASURE))["status"] == "verified"
        town.mailing.key = right_key
        story.post(f"/v1/requests/{request}/systems/mailing/again", expect=202)
        story.look_by_hand(request)
        story.approve(request, considered=True)
        assert story.request(request)["status"] == "closed"
        assert not town.mailing.members


def _everything_that_happens_by_itself(story: Story) -> None:
    """Workers, read models, reminders, purges: what processes do all day without being asked."""
    story.work()
    running = story.installation
    running.reminders.pass_over(open_requests(running.database))
    running.tasks.purge()
    story.work()


def _arrives(story: Story, text: str, sender: str) -> Mapping[str, Any]:
    arrived: Mapping[str, Any] = story.arrives(
        raw_mail(text, sender=sender, arrived=story.moment()), NORWAY
    )
    return arrived


def _standing(story: Story, request: str) -> dict[str, tuple[str, str]]:
    return {name: (one["status"], one["waits_for"]) for name, one in story.systems(request).items()}


# An export prints a wrong due date


def test_every_output_says_the_same_three_dates(story: Story) -> None:
    """Art. 12(3), GK-03: API, exports, read models, pages, letters and the command line.

    On a day on which law, promise and target differ, so that no one of them passes for another.
    """
    while len(set(_three(story).values())) < 3:
        story.pass_time(days=1)
    dates = _three(story)
    received = local_day(story.moment())
    case = story.confirm(_arrives(story, ACCESS, ADDRESS))
    request = request_id(case, Right.ACCESS)
    story.prove(case["case_id"], ADDRESS)

    seen = Counter[str]()
    for stage in ("verified", "collected", "late"):
        if stage == "collected":
            story.look_by_hand(request)
        if stage == "late":
            story.pass_time(days=40)
            _everything_that_happens_by_itself(story)
        for where, name, day in _dates_said(story, case["case_id"], request):
            assert day == dates[name], f"{where} says {day} for {name}"
            seen[where] += 1
    # Looked at for certain, whatever else there is.
    for place in ("/v1/requests", "/v1/export/requests", "views.deadline_worklist", "page", "csv"):
        assert any(place in where for where in seen), f"{place} among {sorted(seen)}"

    letter = story.postbox.last(ADDRESS, "acknowledgement")
    told = {received, dates["statutory_due"]}
    if dates["promise_due"] < dates["statutory_due"]:
        told.add(dates["promise_due"])
    assert _days_in(letter.text) == _days_in(_plain(letter.html)) == told
    line = [sys.executable, "-c", "from adapters.inbound.cli.main import main; main()"]
    line += ["deadline", "--received", received.isoformat(), "--country", "NO"]
    line += ["--promise-days", "30"]
    said = json.loads(_run([*line, "--json"]))
    assert {name: date.fromisoformat(said[name]) for name in dates} == dates
    (row,) = csv.DictReader(StringIO(_run([*line, "--until", received.isoformat(), "--csv"])))
    assert {name: date.fromisoformat(row[name]) for name in dates} == dates


def _three(story: Story) -> dict[str, date]:
    _, statutory, promise, target = expected("NO", local_day(story.moment()), 30)
    assert promise is not None
    return {"statutory_due": statutory, "promise_due": promise, "target_due": target}


NAMES = ("statutory_due", "promise_due", "target_due")


def _dates_said(story: Story, case: str, request: str) -> Iterator[tuple[str, str, date]]:
    """Every date under one of the three names, wherever anything is told: where, name, day."""
    known = {"case_id": case, "request_id": request, "name": NORWAY, "controller": NORWAY}
    for path, methods in story.http.get("/v1/openapi.json").json()["paths"].items():
        try:
            address = path.format_map(known)
        except KeyError:
            continue  # about something else than this request
        for extra in ("", "?format=csv", "?format=json") if "get" in methods else ():
            answer = story.http.get(address + extra, headers=story._bearer)
            kind = answer.headers.get("content-type", "")
            if answer.status_code != 200:
                continue
            if "csv" in kind:
                rows = list(csv.DictReader(StringIO(answer.text)))
                yield from _named(f"csv {path}", rows)
            elif "json" in kind:
                for line in answer.text.splitlines():
                    yield from _named(path, json.loads(line))
    tables = story.installation.database.fetch(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'views' AND column_name = ANY(%s)",
        [list(NAMES)],
    )
    for name in {row["table_name"] for row in tables}:
        told = story.installation.database.connection.execute(
            f"SELECT to_jsonb(t) FROM views.{name} t".encode()
        ).fetchall()
        yield from _named(f"views.{name}", [row for (row,) in told])
    desk = story.at_the_desk(case)
    for language in ("nb", "nn", "sv", "en"):
        page = desk.open(f"/desk/cases/{case}?lang={language}")
        for name, text in re.findall(r'class="due-(\w+)".*?<dd>([^<]+)', page, re.DOTALL):
            if f"{name}_due" in NAMES:
                (day,) = _days_in(text)
                yield f"page in {language}", f"{name}_due", day


def _named(where: str, value: object) -> Iterator[tuple[str, str, date]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in NAMES and isinstance(inner, str):
                yield where, name, date.fromisoformat(inner)
            else:
                yield from _named(where, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(where, inner)


_MONTHS = {
    name[:3].lower(): number
    for months in (
        "januar februar mars april mai juni juli august september oktober november desember",
        "januari februari mars april maj juni juli augusti september oktober november december",
        "January February March April May June July August September October November December",
    )
    for number, name in enumerate(months.split(), start=1)
}


def _days_in(text: str) -> set[date]:
    """Every date a text mentions, written out in any of the languages."""
    found = re.findall(r"\b(\d{1,2})\.? ([^\W\d]{3,9}) (\d{4})\b", text)
    return {
        date(int(year), _MONTHS[month[:3].lower()], int(day))
        for day, month, year in found
        if month[:3].lower() in _MONTHS
    }


def _plain(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


def _run(command: Sequence[str]) -> str:
    root = str(Path(__file__).parents[2])
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": root}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


# One system on a closed port stops the others


def test_a_closed_port_stops_nobody_else(story: Story, town: Town) -> None:
    """Everybody else is searched and everything else gets done; then it goes on by itself."""
    port = int(town.mailing.url.rpartition(":")[2].partition("/")[0])
    town.mailing.stop()
    request = asked(story, ERASE, Right.ERASURE)
    standing = _standing(story, request)
    assert standing.pop("mailing")[0] == "unavailable"
    assert {status for status, _ in standing.values()} == {"found"}

    town.mailing.start(port)
    _later(story, minutes=10)
    story.work()
    town.mailing.stop()
    story.approve(request, considered=True)
    standing = _standing(story, request)
    assert standing["mailing"][0] == "unavailable"
    assert {standing[name][0] for name in ("ticketing", "payment")} == {"done"}

    town.mailing.start(port)
    _later(story, minutes=10)
    story.work()
    assert story.request(request)["status"] == "closed"


# Tasks stay failed after an outage has ended


@pytest.mark.parametrize("how", [503, None], ids=["503", "cut-off"])
def test_after_an_outage_of_days_everything_goes_on_by_itself(
    story: Story, town: Town, how: int | None
) -> None:
    """No count of tries after which nobody tries any more; nobody has to press anything."""
    request = asked(story, ERASE, Right.ERASURE)
    if how is None:
        town.mailing.drop_next(10_000)
    else:
        town.mailing.fail_next(how, 10_000)
    searching = story.confirm(_arrives(story, ACCESS, "sara.sok@post.example"))
    story.prove(searching["case_id"], "sara.sok@post.example")
    story.approve(request, considered=True)
    for _ in range(12):
        _later(story, hours=6)
        story.work()
        assert _standing(story, request)["mailing"][0] == "unavailable"
    assert story.installation.tasks.parked() == []
    assert town.mailing.members, "nothing was done there, and nothing is claimed"

    town.mailing.heal()
    _later(story, hours=2)
    story.work()

    assert not town.mailing.members
    assert story.request(request)["status"] == "closed"
    found = story.systems(request_id(searching, Right.ACCESS))["mailing"]
    assert (found["status"], found["attempts"]) == ("found", 0)


def _later(story: Story, **amount: float) -> None:
    """Let time pass, for suspended systems too."""
    story.pass_time(**amount)
    story.installation.database.fetch(
        "UPDATE trettio.lanes SET probe_at = probe_at - %s RETURNING 1", [timedelta(**amount)]
    )
