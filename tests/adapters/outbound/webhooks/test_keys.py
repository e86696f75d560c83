"""Secrets of webhooks: sealed, of one system each, and replaced without a gap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from adapters.outbound.database import Database
from adapters.outbound.master_keys import WrongMasterKey
from adapters.outbound.webhooks.keys import WebhookKeys
from adapters.outbound.webhooks.sign import signed, verify

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Moment:
    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Moment:
    return Moment()


@pytest.fixture
def keys(database: Database, clock: Moment) -> WebhookKeys:
    return WebhookKeys(database, b"k" * 32, clock)


def test_the_first_is_made_when_it_is_asked_for_and_stays(keys: WebhookKeys) -> None:
    assert keys.good("house", "shop") == ()

    first = keys.newest("house", "shop")

    assert keys.newest("house", "shop") == first
    assert keys.good("house", "shop") == (first,)
    assert keys.newest("other", "shop") != first
    assert keys.newest("house", "till") != first


def test_while_one_is_replaced_the_old_and_the_new_one_sign(
    keys: WebhookKeys, clock: Moment
) -> None:
    old = keys.newest("house", "shop")
    clock.now = NOON + timedelta(hours=1)

    new = keys.replace("house", "shop")

    headers = signed(keys.good("house", "shop"), "msg_1", clock.now, b"{}")
    assert verify([old], headers, b"{}", clock.now) == verify([new], headers, b"{}", clock.now)

    clock.now += timedelta(days=7)
    assert keys.good("house", "shop") == (new,)
    keys.purge()
    assert keys.good("house", "shop") == (new,)


def test_a_secret_that_got_out_ends_at_once(keys: WebhookKeys) -> None:
    keys.newest("house", "shop")

    assert keys.replace("house", "shop", overlap=timedelta(0)) == keys.newest("house", "shop")
    assert len(keys.good("house", "shop")) == 1


def test_what_is_stored_opens_with_our_key_only_and_as_what_it_is(
    keys: WebhookKeys, database: Database, clock: Moment
) -> None:
    key = keys.newest("house", "shop")
    (row,) = database.fetch("SELECT sealed FROM trettio.webhook_keys")

    assert key.secret not in bytes(row["sealed"])
    with pytest.raises(WrongMasterKey):
        WebhookKeys(database, b"x" * 32, clock).good("house", "shop")
    database.fetch("UPDATE trettio.webhook_keys SET system = 'till'")
    with pytest.raises(WrongMasterKey):
        keys.good("house", "till")
