"""Nothing that looks like personal data gets into a log line; what names events stays whole."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256

import pytest
import structlog

from adapters.logs import configure, refuse_personal_data


def cleaned(value: object) -> object:
    return refuse_personal_data(None, "info", {"event": "x", "value": value})["value"]


@pytest.mark.parametrize(
    "text",
    [
        "kari@person.example",
        "mail to Kari.Testesen+skog@post.person.example failed",
        "path=/lists/kari%40person.example",
        "01810199999",  # Norwegian, synthetic month
        "018101 99999",
        "41010199999",  # D-number
        "850101-9809",
        "19850101-9809",
        "198501019809",
        "850161-9999",  # co-ordination number
        "+47 412 34 567",
        "0046701740606",
        "+46701740605",
        "070-174 06 05",
    ],
)
def test_personal_data_is_refused(text: str) -> None:
    for value in (text, [text], {"deep": [text]}, (text,)):
        assert text not in json.dumps(cleaned(value))
        assert "[personal data refused]" in json.dumps(cleaned(value))


def test_ids_digests_moments_and_counts_stay_whole() -> None:
    """A line that lost its ids would be of no use to anybody who looks for a fault."""
    for number in range(3_000):
        name = str(uuid.UUID(bytes=sha256(str(number).encode()).digest()[:16]))
        digest = sha256(name.encode()).hexdigest()
        moment = datetime.fromtimestamp(1.7e9 + number * 86_461.004_7, UTC).isoformat()
        for text in (name, digest, moment, f"task {name}/mailing/find", f"{digest} {moment}"):
            assert cleaned(text) == text
    assert cleaned(12345678901) == 12345678901
    assert cleaned(uuid.UUID(int=7)) == str(uuid.UUID(int=7))
    assert cleaned("GET /v1/orders/{order} answered 503") == "GET /v1/orders/{order} answered 503"


@pytest.fixture
def as_it_was() -> Iterator[None]:
    before = structlog.get_config()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


def fail() -> None:
    raise ValueError("Kari Testesen lives in Oppdiktede vei 1")


@pytest.mark.usefixtures("as_it_was")
def test_an_exception_leaves_its_kind_and_place_but_not_its_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("json")
    try:
        fail()
    except ValueError:
        structlog.get_logger().exception("task_failed")

    line = json.loads(capsys.readouterr().err)
    assert line["error"] == "ValueError"
    assert "test_logs" in line["at"][-1]
    assert "Testesen" not in json.dumps(line)


@pytest.mark.usefixtures("as_it_was")
def test_what_libraries_log_is_said_without_their_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A web server writes every exception out, words and all, unless it is kept from it."""
    configure("json")
    try:
        fail()
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception for Kari Testesen")
    logging.getLogger("urllib3").warning("Retrying %s", "/members?q=kari@person.example")

    written = capsys.readouterr().err
    first, second = map(json.loads, written.splitlines())
    assert (first["library"], first["error"]) == ("uvicorn.error", "ValueError")
    assert (second["library"], second["about"]) == ("urllib3", "Retrying %s")
    assert "Testesen" not in written
    assert "person.example" not in written
