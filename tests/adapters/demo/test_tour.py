"""The tour of the demonstration: what was done is read from the log, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from adapters.bootstrap import installation
from adapters.demo import seed
from adapters.demo.demonstration import Demonstration
from adapters.demo.door import application
from adapters.demo.past.moment import prepare
from adapters.demo.settings import settings_of
from adapters.demo.tour import cases_of_mails, steps
from adapters.demo.world import World
from adapters.outbound.tokens import Scope
from domain.vocabulary import IdentifierKind, IdentityMethod, Language, Right
from services.ports import Identifier

BEGAN = datetime.now(UTC) - timedelta(minutes=5)


@pytest.fixture
def demonstration(database_url: str, tmp_path: Path) -> Iterator[Demonstration]:
    with installation(
        settings_of(tmp_path, 1, database_url), with_migrations=False, invented=True
    ) as opened:
        seed.organisations(opened, BEGAN)
        prepare(opened.database)
        token = opened.tokens.create(name=seed.STAFF, staff_id=seed.STAFF, scopes=frozenset(Scope))
        yield Demonstration(opened, World(), token, BEGAN, with_past=True)


@pytest.fixture
def visitor(demonstration: Demonstration) -> TestClient:
    return TestClient(application(demonstration), base_url="http://127.0.0.1")


def done(demonstration: Demonstration) -> list[str]:
    """The names of the steps that are done."""
    cases = tuple(cases_of_mails(demonstration.installation, BEGAN))
    return [one.name for one in steps(demonstration.installation, cases[0]) if one.is_done]


@pytest.mark.parametrize("language", Language)
def test_the_first_page_shows_what_to_do_and_which_mails_wait(
    visitor: TestClient, language: Language
) -> None:
    visitor.get("/demo")
    page = visitor.get(f"/tour?lang={language.value}")

    assert page.status_code == 200
    assert page.text.count('aria-current="step"') == 1
    assert page.text.count('href="/desk/cases/') == 3
    assert '<progress value="0" max="293"' in page.text
    assert len(page.content) < 60_000


def test_nobody_is_shown_round_who_did_not_come_in(visitor: TestClient) -> None:
    answer = visitor.get("/tour", follow_redirects=False)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/desk/sign-in")


def test_a_step_is_ticked_when_the_log_says_that_it_was_done(
    demonstration: Demonstration, visitor: TestClient
) -> None:
    trettio = demonstration.installation
    case = next(iter(cases_of_mails(trettio, BEGAN)))
    assert done(demonstration) == []

    trettio.intake.confirm(
        case.id,
        rights=(Right.ACCESS, Right.ERASURE),
        language=Language.NB,
        identifiers=(Identifier(IdentifierKind.EMAIL, "ingrid.provedal@epost.example"),),
        by=seed.STAFF,
    )
    assert done(demonstration) == ["confirm"]
    visitor.get("/demo")
    led = visitor.get("/tour/match", follow_redirects=False)
    assert led.headers["location"] == f"/desk/cases/{case.id}#records-access"
    assert visitor.get("/tour/nowhere").status_code == 404
    assert visitor.get("/tour?lang=en").text.count(">done<") == 1

    led = visitor.get("/tour/prove", follow_redirects=False)
    assert led.headers["location"] == f"/desk/cases/{case.id}"
    trettio.identity.ask(case.id, reason="sensitive-content", by=seed.STAFF)
    led = visitor.get("/tour/prove", follow_redirects=False)
    assert led.headers["location"] == "/outbox"  # where her letter with the code lies
    trettio.identity.verify_by_hand(case.id, method=IdentityMethod.DOCUMENT_SEEN, by=seed.STAFF)
    assert done(demonstration) == ["confirm", "prove"]


def test_somebody_who_only_wants_erasure_confirmed_has_no_copy_to_send(
    demonstration: Demonstration,
) -> None:
    case = next(iter(cases_of_mails(demonstration.installation, BEGAN)))
    demonstration.installation.intake.confirm(
        case.id,
        rights=(Right.ERASURE,),
        language=Language.NB,
        identifiers=(Identifier(IdentifierKind.EMAIL, "ingrid.provedal@epost.example"),),
        by=seed.STAFF,
    )

    assert done(demonstration) == ["confirm"]
