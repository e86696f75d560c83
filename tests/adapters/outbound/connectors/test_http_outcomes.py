"""What a described system's answers mean: erased, kept, pending, left, refused (Art. 16 to 18).

An answer that the description does not foresee is believed by nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from adapters.demo.doubles.server import Call, Reply
from adapters.outbound.connectors.http_api.api import HttpApi
from adapters.outbound.connectors.http_api.description import read_description
from domain.vocabulary import Outcome
from services.ports import (
    AwaitsPerson,
    Correction,
    Garbled,
    Refused,
    Result,
    Treatment,
    Unavailable,
)
from tests.support.people import somebody
from tests.support.scripted import FIND, HEAD, KARI, Answers, Scripted, described, rows


@pytest.fixture(scope="module")
def running() -> Iterator[Scripted]:
    with Scripted() as double:
        yield double


@pytest.fixture
def system(running: Scripted) -> Scripted:
    running.asked.clear()
    running.answers = lambda call: rows()
    return running


def erased(system: Scripted, text: str, answers: Answers | None = None) -> Result:
    if answers is not None:
        system.answers = answers
    return described(system, FIND + text).erase(KARI, Treatment("7", "person"), key="task/1")


# What answers mean


OUTCOMES = """
[[erase.person.deeds]]
method = "DELETE"
path = "/people/{key}"
outcomes = [
    { status = [200], at = "/state", is = ["gone"], then = "erased" },
    { status = [200], at = "/state", is = ["kept"], then = "kept", GROUND, until = "/until" },
    { status = [202], then = "pending", hours = 48 },
    { status = [204], then = "anonymised", residuals = [BACKUP] },
    { status = [404, 410], then = "not-found" },
    { status = [409], then = "try-later" },
    { status = [422], then = "by-hand", what = "erase-by-hand" },
    { status = [400], then = "refused" },
]
""".replace("GROUND", 'ground = "no.bokforing.primary"').replace(
    "BACKUP", '{ what = "backup", why = "backup-rotation", days = 30 }'
)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(200, {"state": "gone"}), Outcome.ERASED),
        (Reply(200, {"state": "kept", "until": "2031-12-31"}), Outcome.KEPT),
        (Reply(202, {}), Outcome.PENDING_AT_VENDOR),
        (Reply(204), Outcome.ANONYMISED),
        (Reply(404, b"<html>", media_type="text/html"), Outcome.NOT_FOUND),
        (Reply(410), Outcome.NOT_FOUND),
        (Reply(409), Unavailable),
        (Reply(422), AwaitsPerson),
        (Reply(400), Refused),
        (Reply(403), Refused),
        (Reply(429), Unavailable),
        (Reply(503), Unavailable),
        (Reply(200, {"state": "what?"}), Garbled),
        (Reply(200, b"<html>Deleted!</html>", media_type="text/html"), Garbled),
        (Reply(302, headers={"Location": "https://elsewhere.example"}), Garbled),
    ],
)
def test_each_answer_means_what_the_description_says_and_nothing_else_does(
    system: Scripted, reply: Reply, outcome: Outcome | type[Exception]
) -> None:
    if isinstance(outcome, Outcome):
        assert erased(system, OUTCOMES, lambda call: reply).outcome is outcome
    else:
        with pytest.raises(outcome):
            erased(system, OUTCOMES, lambda call: reply)


def test_what_is_kept_pending_or_left_says_until_when(system: Scripted) -> None:
    kept = erased(
        system, OUTCOMES, lambda call: Reply(200, {"state": "kept", "until": "2031-12-31"})
    )
    pending = erased(system, OUTCOMES, lambda call: Reply(202, {}))
    left = erased(system, OUTCOMES, lambda call: Reply(204))

    assert (kept.ground, str(kept.until)) == ("no.bokforing.primary", "2031-12-31")
    assert str(pending.not_before) == "2026-11-24 12:00:00+00:00"
    assert [(one.what, str(one.until)) for one in left.residuals] == [("backup", "2026-12-22")]


JOB = """
[[erase.person.deeds]]
method = "POST"
path = "/erasures"
json = { person = "{key}" }

[[erase.person.deeds.outcomes]]
status = [202]
then = "pending"
hours = 24

[erase.person.deeds.outcomes.job]
id = "/job"
path = "/jobs/{job}"
state = "/state"
done = ["done"]
failed = ["failed"]
tries = 3
"""


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        (["running", "done"], Outcome.ERASED),
        (["running"] * 3, Outcome.PENDING_AT_VENDOR),
        (["failed"], Refused),
        ([None], Outcome.PENDING_AT_VENDOR),
    ],
)
def test_a_vendors_job_is_followed(
    system: Scripted, states: list[str | None], outcome: Outcome | type[Exception]
) -> None:
    coming = iter(states)

    def answers(call: Call) -> Reply:
        if call.method == "POST":
            return Reply(202, {"job": "j/1"})
        assert unquote(call.path) == "/jobs/j/1"
        return Reply(200, {"state": next(coming, None)})

    if isinstance(outcome, Outcome):
        assert erased(system, JOB, answers).outcome is outcome
    else:
        with pytest.raises(outcome):
            erased(system, JOB, answers)


def test_a_deed_of_several_calls_sends_a_key_that_repeats(system: Scripted) -> None:
    text = '[server]\nidempotency = "X-Idempotency-Key"\n' + FIND
    text += '[[erase.person.deeds]]\nmethod = "POST"\npath = "/people/{key}/clear"\n'
    text += 'outcomes = [{ status = [200], then = "next" }]\n'
    text += '[[erase.person.deeds]]\nmethod = "DELETE"\npath = "/people/{key}"\n'
    text += 'outcomes = [{ status = [200], then = "erased" }]\n'
    connector = described(system, text)

    for _ in range(2):
        connector.erase(KARI, Treatment("7", "person"), key="task/1")

    keys = [call.headers["X-Idempotency-Key"] for call in system.asked]
    assert keys == ["task/1/0", "task/1/1"] * 2


def test_a_systems_own_words_for_too_many_are_heeded(system: Scripted) -> None:
    text = '[server]\ntoo_many = [{ status = [403], not_media_type = "application/problem+json" },'
    text += '{ status = [200], at = "/error", is = ["RATE"], seconds = "/wait" }]\n' + FIND
    connector = described(system, text)

    system.answers = lambda call: Reply(200, {"error": "RATE", "wait": 30})
    with pytest.raises(Unavailable) as later:
        list(connector.find(KARI))
    assert later.value.retry_after == 30

    system.answers = lambda call: Reply(403, b"<html>", media_type="text/html")
    with pytest.raises(Unavailable):
        list(connector.find(KARI))

    system.answers = lambda call: Reply(403, {}, media_type="application/problem+json")
    with pytest.raises(Refused):
        list(connector.find(KARI))


def test_calls_go_no_faster_than_the_system_wants(system: Scripted) -> None:
    waits: list[float] = []
    description = read_description(HEAD + "[server]\nper_second = 2\n" + FIND, "system.toml")
    connector = HttpApi({"url": system.url}, description, sleep=waits.append)

    list(connector.find(somebody("a@post.example", "b@post.example", "c@post.example")))

    assert [round(wait, 1) for wait in waits] == pytest.approx([0.5, 1.0], abs=0.11)


# Marks


MARKS = """
[restrict.person]
look = { path = "/people/{key}", gone = [404], matches = { email = ["/email"] } }
marked = { at = "/attributes/restricted", is = [true] }

[restrict.person.mark]
method = "PUT"
path = "/people/{key}"
outcomes = [{ status = [200], then = "restricted" }]

[restrict.person.mark.json]
attributes = { "*" = { at = "/attributes" }, restricted = true, was = { at = "/news" } }
news = false

[restrict.person.unmark]
method = "PUT"
path = "/people/{key}"
outcomes = [{ status = [200], then = "restricted" }]

[restrict.person.unmark.json]
attributes = { "*" = { at = "/attributes" }, restricted = false }
news = { at = "/attributes/was" }

[rectify.person]
look = { path = "/people/{key}", gone = [404] }
fields = { city = "attributes/city", email = "email" }

[rectify.person.deed]
method = "PUT"
path = "/people/{key}"
json = { attributes = { "*" = { at = "/attributes" } } }
outcomes = [{ status = [200], then = "rectified" }]
"""


def test_a_restriction_is_set_seen_and_taken_back_with_what_it_stopped(system: Scripted) -> None:
    """Art. 18: and a correction leaves everything else as it was (Art. 16)."""
    person: dict[str, Any] = {"id": 7, "email": "kari@post.example", "news": True}
    person["attributes"] = {"city": "Oslo"}

    def answers(call: Call) -> Reply:
        if call.method == "PUT":
            person.update(call.json())
            return Reply(200, {})
        return Reply(200, person if call.path == "/people/7" else {"rows": [person]})

    system.answers = answers
    connector = described(system, FIND + MARKS)

    assert not connector.is_restricted(KARI)
    for _ in range(2):
        assert connector.restrict(KARI, key="k").outcome is Outcome.RESTRICTED
    assert connector.is_restricted(KARI)
    assert person["news"] is False

    connector.unrestrict(KARI, key="k")
    assert not connector.is_restricted(KARI)
    assert person["news"] is True

    connector.rectify(KARI, Correction("7", "person", {"city": "Bergen"}), key="k")
    assert person["attributes"]["city"] == "Bergen"
    assert person["attributes"]["restricted"] is False
