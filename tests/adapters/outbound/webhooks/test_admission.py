"""A profile that would have us call what only we can reach is not put in force."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import replace

import pytest

from adapters.outbound.webhooks.admission import Admission
from adapters.outbound.webhooks.guard import Guard
from adapters.profiles import load_profile
from domain.errors import DomainError
from domain.policy import Profile
from domain.vocabulary import Delivery
from tests.support.house import NORWAY, ORGANISATIONS


def told_at(url: str, connector: str) -> Profile:
    profile = load_profile(ORGANISATIONS / f"{NORWAY}.toml")
    first, *others = profile.systems
    told = replace(
        first, connector=connector, delivery=Delivery.WEBHOOK, options={"url": url} if url else {}
    )
    return replace(profile, systems=(told, *others))


def answering(*addresses: str) -> Guard:
    return Guard(resolve=lambda *_: addresses)


@pytest.mark.parametrize("connector", ["webhook", "opendsr"])
@pytest.mark.parametrize(
    ("url", "address"),
    [("https://hooks.example/", "10.0.0.1"), ("http://hooks.example/", "1.1.1.1")],
)
def test_what_leads_inside_is_refused_in_words(connector: str, url: str, address: str) -> None:
    with pytest.raises(DomainError, match="cannot be called: the") as refused:
        Admission(answering(address), lambda *_: {})(told_at(url, connector))

    assert "hooks.example/" not in str(refused.value)


def test_an_address_in_the_environment_is_judged_too() -> None:
    admit = Admission(answering("10.0.0.1"), lambda *_: {"url": "https://hooks.example/"})

    with pytest.raises(DomainError):
        admit(told_at("", "webhook"))


def _away(*_: object) -> Sequence[str]:
    raise socket.gaierror


def test_good_addresses_and_those_that_nobody_knows_yet_are_admitted() -> None:
    told = told_at("https://hooks.example/", "webhook")

    Admission(answering("1.1.1.1"), lambda *_: {})(told)
    Admission(Guard(resolve=_away), lambda *_: {})(told)
    Admission(answering("10.0.0.1"), lambda *_: {})(told_at("", "webhook"))
    Admission(answering("10.0.0.1"), lambda *_: {})(told_at("http://10.0.0.1/", "pretix"))
