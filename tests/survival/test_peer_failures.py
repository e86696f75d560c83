"""Six failures of the leading open-source peer, each tried on the whole product.

A table that is not there ends an erasure as done; a watchdog throws away what waits for a person;
an export prints a wrong date; one closed port stops the others; the built package lacks files;
tasks stay failed after an outage has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.demo.doubles.mailchimp import MailchimpDouble
from adapters.demo.doubles.pretix import PretixDouble
from adapters.demo.doubles.server import Double
from adapters.demo.doubles.stripe import StripeDouble
from domain.vocabulary import Right
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
