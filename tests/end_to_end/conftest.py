"""An installation among running systems on loopback: pretix, Stripe, Mailchimp, mail, web."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from adapters.bootstrap import installation
from adapters.demo.doubles.mailchimp import KEY, MailchimpDouble
from adapters.settings import Settings
from tests.support import localstripe
from tests.support.components import free_port
from tests.support.localstripe import LocalStripe
from tests.support.pretix import WHEELCHAIR, Pretix
from tests.support.stories import HOST, Moment, Postbox, Story, adopt, served

AUDIENCE = "news"


@pytest.fixture(scope="session")
def stripe() -> Iterator[LocalStripe]:
    with localstripe.server() as running:
        yield running


@pytest.fixture
def mailchimp() -> Iterator[MailchimpDouble]:
    with MailchimpDouble() as running:
        running.add_audience(AUDIENCE, "Nyhetsbrev", FNAME="Fornavn", LNAME="Etternavn")
        yield running


@pytest.fixture
def open_story(
    database_url: str, tmp_path: Path
) -> Iterator[Callable[[dict[tuple[str, str], dict[str, str]]], Story]]:
    """Open an installation whose systems are reached with these secrets."""
    with ExitStack() as stack:

        def opened(secrets: dict[tuple[str, str], dict[str, str]]) -> Story:
            moment, postbox, asked = Moment(), Postbox(), list[str]()
            settings = Settings.model_validate(
                {
                    "home": tmp_path / "home",
                    "database_url": database_url,
                    "port": free_port(),
                    "smtp_host": "127.0.0.1",
                    "smtp_port": stack.enter_context(postbox.open()),
                    "smtp_security": "none",
                    "undo_seconds": 0,
                    "trusted_mail_hosts": HOST,
                }
            )
            running = stack.enter_context(
                installation(settings, clock=moment, secrets=secrets, with_migrations=True)
            )
            for name in ("fjordscenen", "stundbiljett"):
                adopt(running, name)
            stack.enter_context(served(running, asked))
            http = stack.enter_context(httpx2.Client(base_url=settings.address, timeout=30))
            return Story(running, moment, postbox, http, database_url, asked)

        yield opened


@pytest.fixture
def story(
    open_story: Callable[[dict[tuple[str, str], dict[str, str]]], Story],
    pretix: Pretix,
    stripe: LocalStripe,
    mailchimp: MailchimpDouble,
) -> Story:
    """Both organisations, their systems running."""
    shop = {**pretix.configuration, "special_questions": WHEELCHAIR}
    card = {
        "url": stripe.url,
        "key": localstripe.KEY,
        "leave_out": "search, payment_intents",
        "method_type": "card",
    }
    return open_story(
        {
            ("fjordscenen", "ticketing"): shop,
            ("fjordscenen", "payment"): card,
            ("fjordscenen", "mailing"): {"url": mailchimp.url, "key": KEY},
            ("stundbiljett", "shop"): shop,
            ("stundbiljett", "payment"): card,
        }
    )
