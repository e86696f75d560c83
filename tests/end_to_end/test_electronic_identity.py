"""A person is asked, chooses an electronic ID, comes back, and is verified: over the real pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from adapters.outbound.attempts import PostgresAttempts
from adapters.outbound.identity_providers import ConfiguredProviders
from domain.identity_providers import Assurance
from domain.request import Status
from domain.vocabulary import IdentifierKind, IdentityMethod, Right
from services import dossier
from services.electronic import ElectronicIdentity
from services.ports import Identifier
from tests.support.asking import BY, asked, confirmed, look_everywhere
from tests.support.house import KARI, NORWAY, House, open_house
from tests.support.oidc import REDIRECT, OpenIdProvider, open_id_provider
from tests.support.web import web

NUMBER = "01817499100"
WHO = (
    Identifier(IdentifierKind.EMAIL, KARI),
    Identifier(IdentifierKind.NAME, "Kari Testesen"),
)


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenIdProvider]:
    with open_id_provider() as running:
        yield running


@pytest.fixture
def house(database_url: str, tmp_path: Path, provider: OpenIdProvider) -> Iterator[House]:
    said = {
        "bankid": {"client_id": "post", "client_secret": "s3cret", "issuer": provider.issuer},
        "id-porten": {"client_id": "key", "issuer": provider.issuer},
    }
    with open_house(database_url, tmp_path) as opened:
        there = opened.installation
        electronic = ElectronicIdentity(
            there.register,
            there.controllers,
            there.identity,
            ConfiguredProviders(lambda _, one: said.get(one, {}), address=there.settings.address),
            PostgresAttempts(there.database),
        )
        changed = replace(there, electronic=electronic)
        yield replace(opened, installation=changed, client=TestClient(web(changed)))


def linked(house: House, text: str = "Hei") -> tuple[Any, TestClient, str]:
    """A case whose person was asked who they are, their browser, and the link in their mail."""
    case_id = confirmed(house, Right.ACCESS, identifiers=WHO, text=text)
    house.installation.identity.ask(case_id, reason="unknown-sender", by=BY)
    house.worker.drain()
    return case_id, house.visitor(), house.link("prove")


def set_out(browser: TestClient, link: str) -> str:
    page = browser.post(f"{link}/eid", data={"provider": "bankid"})
    assert page.status_code == 200
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page.text)
    assert found is not None, page.text
    return unescape(found[1])


def way_back(provider: OpenIdProvider, browser: TestClient, link: str) -> str:
    back = provider.sign_in(set_out(browser, link))
    assert back.startswith(REDIRECT)
    return back.removeprefix(REDIRECT.removesuffix("/prove/eid/back"))


def test_a_person_proves_who_they_are_elsewhere(house: House, provider: OpenIdProvider) -> None:
    """B.2.8, B.4, E-10: sub, acr and time stay; the national number is matched with and dropped."""
    case_id, browser, link = linked(house)
    page = browser.get(link)
    assert "BankID" in page.text
    provider.next(acr="urn:bankid:bid", name="Kari Anne Testesen", nnin_altsub=NUMBER)
    before = house.events()

    back = way_back(provider, browser, link)
    assert house.events() == before, "to set out changes nothing"
    stranger = house.visitor()
    assert stranger.get(back).status_code == 404, "E-16: nobody else's browser brings it back"
    assert house.events() == before
    shown = browser.get(back)

    assert "takk" in shown.text.casefold()
    request = asked(house, case_id, Right.ACCESS)
    assert request.status is Status.VERIFIED
    assert request.identity is IdentityMethod.EID
    event: Any = next(
        one
        for one in house.installation.register.events.get(request.id)
        if getattr(one, "TOPIC", "") == "request.identity-verified"
    )
    assert event.assurance is Assurance.HIGH
    kept = dossier.VOUCHER.validate_json(house.installation.vault.open(event.proof))
    assert (kept.provider, kept.acr) == ("bankid", "urn:bankid:bid")
    assert "somebody" not in kept.subject
    person = dossier.PERSON.validate_json(house.installation.vault.open(request.requester))
    assert {one.kind for one in person.identifiers if one.verified} == {IdentifierKind.NAME}
    assert NUMBER not in repr(person)

    seen: list[tuple[str, ...]] = []
    ticketing = house.systems.system(NORWAY, "ticketing")
    find = ticketing.find

    def watched(person: Any, **more: Any) -> Any:
        seen.append(person.verified(IdentifierKind.NATIONAL_NUMBER))
        return find(person, **more)

    ticketing.find = watched  # type: ignore[method-assign]
    number = house.case(case_id).number
    assert number is not None
    house.worker.drain()
    look_everywhere(house, case_id, Right.ACCESS)

    assert seen == [(NUMBER,)], "systems are searched with it, once"
    assert house.case(case_id).number is None
    rows = house.installation.database.fetch(
        "SELECT id FROM trettio.vault_rows WHERE id = %s", [number.id]
    )
    assert rows == []
    again = browser.get(back)
    assert again.status_code == 404, "the way back is taken once"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"error": "access_denied"}, "avbr"),
        ({"acr": "idporten-loa-low", "name": "Kari Testesen"}, "kunne ikke bekrefte"),
        ({"acr": "urn:bankid:bid", "name": "Ola Nordmann"}, "kunne ikke bekrefte"),
    ],
)
def test_who_turns_back_or_is_somebody_else_is_not_verified(
    house: House, provider: OpenIdProvider, told: dict[str, str], words: str
) -> None:
    """Art. 12(6): other ways stay open, and a person sees what was not proven."""
    case_id, browser, link = linked(house, text=words + str(told))
    provider.next(**told)

    shown = browser.get(way_back(provider, browser, link))

    assert words in shown.text
    request = asked(house, case_id, Right.ACCESS)
    assert request.status is Status.RECEIVED
    assert request.identity_failures == (0 if "error" in told else 1)
    code = browser.post(link, data={"code": house.newest_code()})
    assert code.status_code == 200, "a lighter way is still there"
    assert asked(house, case_id, Right.ACCESS).status is Status.VERIFIED
