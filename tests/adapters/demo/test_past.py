"""The past of the demonstration: lived through the services, each life whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from adapters.bootstrap import Installation, installation
from adapters.demo import seed
from adapters.demo.past import process
from adapters.demo.past.living import Life
from adapters.demo.past.moment import prepare
from adapters.demo.past.plan import Plan
from adapters.demo.past.plans import DAYS, plans
from adapters.demo.past.telling import STORIES
from adapters.demo.settings import settings_of
from adapters.inbound.mail import parse
from adapters.settings import Settings
from domain.vocabulary import Channel

BEGAN = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_of(tmp_path, 1, database_url)


@pytest.fixture
def demonstration(settings: Settings) -> Iterator[Installation]:
    """One that has just begun: organisations, staff, three mails, and no past yet."""
    with installation(settings, with_migrations=False, invented=True) as opened:
        seed.organisations(opened, BEGAN)
        prepare(opened.database)
        yield opened


def one_of_each() -> dict[str, Plan]:
    """A plan for every story; the last ones drawn, so that most of them are over by now."""
    return {plan.story: plan for plan in plans(BEGAN)}


def logged(demonstration: Installation) -> list[tuple[str, datetime]]:
    rows = demonstration.database.fetch(
        "SELECT topic, recorded_at FROM trettio.log ORDER BY notification_id"
    )
    return [(row["topic"], row["recorded_at"]) for row in rows]


def test_the_past_is_three_hundred_requests_of_six_months_and_the_same_every_time() -> None:
    drawn = plans(BEGAN)

    assert plans(BEGAN) == drawn
    assert sum(len(plan.rights) for plan in drawn) == 300
    assert {plan.story for plan in drawn} == set(STORIES)
    assert all(timedelta() < BEGAN - plan.arrives < timedelta(days=DAYS + 1) for plan in drawn)
    assert all(plan.person.email.endswith(".example") for plan in drawn)
    assert len({plan.person.email for plan in drawn}) == len(drawn)
    assert len({plan.channel for plan in drawn}) == 6


def test_every_story_is_lived_to_its_end_in_its_own_time(
    settings: Settings, demonstration: Installation
) -> None:
    chosen = one_of_each()
    before = len(logged(demonstration))

    with capture_logs() as said:
        assert process.live(settings, BEGAN, chosen=chosen.values()) == len(STORIES)

    assert [line for line in said if line["event"] == "life_went_wrong"] == []
    lived = logged(demonstration)[before:]
    first, last = min(plan.arrives for plan in chosen.values()), BEGAN
    assert all(first <= recorded_at <= last for _, recorded_at in lived)
    assert {topic for topic, _ in lived} >= {
        "case.set-aside",
        "fulfilment.unavailable",
        "hold.placed",
        "refusal.confirmed",
        "refusal.declined",
        "representation.accepted",
        "request.advice-weighed",
        "request.answer-fetched",
        "request.clarified",
        "request.deadline-extended",
        "request.delivery-failed",
        "request.identity-failed",
        "request.match-rejected",
        "request.reclassified",
        "request.refused",
        "request.withdrawn",
    }
    assert demonstration.tasks.parked() == []


def test_a_life_that_breaks_off_has_not_been_lived_and_is_lived_once(
    settings: Settings, demonstration: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = one_of_each()["mistyped"]
    before = logged(demonstration)

    def killed(life: Life) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(Life, "fetch", killed)
        with pytest.raises(KeyboardInterrupt):
            process.live(settings, BEGAN, chosen=[plan])
    assert logged(demonstration) == before
    assert process.progress(demonstration.database, BEGAN).lived == 0

    assert process.live(settings, BEGAN, chosen=[plan]) == 1
    once = logged(demonstration)
    assert process.live(settings, BEGAN, chosen=[plan]) == 0

    assert logged(demonstration) == once
    assert [topic for topic, _ in once].count("request.answer-fetched") == 1
    assert process.progress(demonstration.database, BEGAN).lived == 1


def test_whoever_works_today_records_today(settings: Settings, demonstration: Installation) -> None:
    process.live(settings, BEGAN, chosen=[one_of_each()["withdrawn"]])
    begun = datetime.now(UTC)

    demonstration.staff.know("demo", "Somebody")
    controller, raw = next(seed.mails(BEGAN + timedelta(minutes=1)))
    message = parse(raw, trusted_hosts=(), now=begun)
    demonstration.intake.receive(controller, message, channel=Channel.MAIL)

    assert logged(demonstration)[-1][1] >= begun
