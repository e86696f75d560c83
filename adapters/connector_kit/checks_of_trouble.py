"""A system over HTTP in trouble is tried later, or a person must look (Art. 32)."""

from __future__ import annotations

import json
import tracemalloc

import pytest
import urllib3

from adapters.connector_kit import wire as troubles
from adapters.connector_kit.case import (
    KARI,
    Case,
    Deed,
    over_http,
    over_http_deeds,
    require_sound_if_any,
    spread,
)
from adapters.connector_kit.case import case as case
from adapters.connector_kit.wire import ENDLESS, Trouble, says, tampers, wire_to
from adapters.outbound import http
from services.ports import (
    Garbled,
    Refused,
    Unavailable,
)

# A system in trouble


@over_http_deeds
@pytest.mark.parametrize(
    ("trouble", "wish"),
    [
        (says(429, b'{"title": "slow down"}'), None),
        (says(429, retry_after="100"), 100.0),
        (says(503, retry_after="Fri, 01 Jan 2100 00:00:00 GMT"), 86_400.0),
        (says(503, retry_after="Mon, 01 Jan 2024 00:00:00 +99999999999999999999"), None),
        (says(500), None),
        (says(500, b"<html>Kari.Zwyx@post.example</html>", "text/html"), None),
        (troubles.hangs_up, None),
        (troubles.hangs_up_midway, None),
        (troubles.hangs_up_between_chunks, None),
    ],
)
def test_what_may_pass_is_tried_later(
    case: Case, deed: Deed, trouble: Trouble, wish: float | None
) -> None:
    """At whatever call it happens, nothing is passed over in silence."""
    for number, _ in enumerate(case.calls(deed)):
        error = case.under(trouble, number, deed)
        assert isinstance(error, Unavailable)
        assert error.retry_after == wish


@over_http_deeds
def test_a_silent_system_is_tried_later(
    case: Case, deed: Deed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "TIMEOUT", urllib3.Timeout(connect=1.0, read=0.1))
    case.build()
    for number in spread(case.calls(deed)):
        error = case.under(troubles.is_silent, number, deed)
        assert isinstance(error, Unavailable)


@over_http_deeds
def test_an_answer_that_only_drips_is_tried_later(
    case: Case, deed: Deed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "LONGEST_ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(http, "LOOK_EVERY_SECONDS", 0.05)
    for number in spread(case.calls(deed)):
        error = case.under(troubles.drips, number, deed)
        assert isinstance(error, Unavailable)


@over_http_deeds
def test_a_page_for_people_is_no_answer_and_no_refusal(case: Case, deed: Deed) -> None:
    """While a system is being mended it may show one, and no person should have to look."""
    methods = case.calls(deed)
    for number in (n for n in spread(methods) if methods[n] == "GET"):
        for body in (b"<html>We are back soon</html>", b"[]"):
            error = case.under(says(200, body, "text/html"), number, deed)
            assert isinstance(error, Garbled)


@over_http_deeds
def test_a_refusal_with_no_sense_is_an_answer_or_for_a_person(case: Case, deed: Deed) -> None:
    for number in spread(case.calls(deed)):
        for status in (204, 400, 401, 404, 405, 409, 410):
            for body in (b"", b"<html>Kari.Zwyx@post.example"):
                require_sound_if_any(case.under(says(status, body), number, deed))


@over_http_deeds
def test_403_never_passes_for_an_answer(case: Case, deed: Deed) -> None:
    for number, _ in enumerate(case.calls(deed)):
        error = case.under(says(403, b"", "text/html"), number, deed)
        assert isinstance(error, Unavailable | Refused)


@over_http_deeds
def test_no_redirect_is_followed(case: Case, deed: Deed) -> None:
    with wire_to(case.world.url) as elsewhere:
        for number in spread(case.calls(deed)):
            for status in (300, 301, 302, 303, 307, 308):
                redirect = says(status, b"{}", location=f"{elsewhere.url}/Kari.Zwyx")
                assert isinstance(case.under(redirect, number, deed), Refused)

        assert elsewhere.seen == []


@over_http
def test_links_in_an_answer_lead_nowhere_else(case: Case) -> None:
    case.world.plant(KARI, records=case.world.more_than_a_page)
    found = case.theirs()
    with wire_to(case.world.url) as elsewhere:
        case.wire.always = tampers(
            lambda said: json.loads(json.dumps(said).replace(case.world.url, elsewhere.url))
        )

        assert case.theirs() == found
        assert elsewhere.seen == []


@over_http_deeds
@pytest.mark.parametrize("trouble", [troubles.never_stops, troubles.inflates])
def test_a_huge_answer_is_refused_and_not_kept(
    case: Case,
    deed: Deed,
    trouble: Trouble,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER", 512 * 1024)
    for number in spread(case.calls(deed)):
        case.under(trouble, number, deed)
        tracemalloc.start()
        error = case.under(trouble, number, deed)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert isinstance(error, Refused)
        assert most < ENDLESS / 16
