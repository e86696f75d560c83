"""Staff who sign in with a real OpenID provider: who comes in, in which role, and who does not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from adapters.outbound.staff_provider import roles_in
from adapters.settings import SettingsWrong
from domain.access import Grant, Role
from domain.vocabulary import Language
from services.ports import Member
from tests.support.house import NORWAY, SWEDEN, House, open_house
from tests.support.oidc import OpenIdProvider, open_id_provider, query_of

ROLES = f"team=handler@{NORWAY}, dpo=officer, audit=auditor@{NORWAY}"


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenIdProvider]:
    with open_id_provider() as running:
        yield running


@pytest.fixture(scope="module")
def house(
    provider: OpenIdProvider, module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    said: dict[str, Any] = {
        "staff_oidc_issuer": provider.issuer,
        "staff_oidc_client_id": "basic",
        "staff_oidc_client_secret": "s3cret +/%",
        "staff_oidc_name": "Testhuset",
        "staff_oidc_roles": ROLES,
    }
    with open_house(module_database_url, tmp_path_factory.mktemp("oidc"), **said) as opened:
        yield opened


def away(browser: TestClient) -> str:
    """Where the page leads on to."""
    page = browser.post("/desk/sign-in/provider")
    assert page.status_code == 200, page.text
    found = re.search(r'content="0;url=([^"]+)"', page.text)
    assert found is not None
    return unescape(found[1])


def comes_back(browser: TestClient, provider: OpenIdProvider, **claims: Any) -> tuple[int, str]:
    """Sets out, signs in there, and comes back; answers the page that is then shown."""
    provider.next(**claims)
    back = urlsplit(provider.sign_in(away(browser)))
    page = browser.get(f"{back.path}?{back.query}", headers={"Accept-Language": "en"})
    return page.status_code, page.text


def is_in(browser: TestClient) -> bool:
    return "/desk/sign-in" not in str(browser.get("/desk").url)


def test_a_group_lets_somebody_in_with_its_role(house: House, provider: OpenIdProvider) -> None:
    browser = house.visitor()
    status, page = comes_back(browser, provider, sub="ida", name="Ida Testesen", groups=["team"])

    assert status == 200, page
    assert is_in(browser)
    account = browser.get("/desk/account").text
    assert "Ida Testesen" in account
    (member,) = [
        one for one in house.installation.staff.members().values() if one.name == "Ida Testesen"
    ]
    assert "ida" not in member.id
    # The same person is the same member of staff the next time, whatever the groups are by then.
    again = house.visitor()
    comes_back(again, provider, sub="ida", name="Ida Testesen", groups=["dpo"])
    assert member.id in again.get("/desk/account").text
    assert again.post("/desk/assign", data={"to": "x"}).status_code == 403


def test_whoever_is_known_by_a_verified_address_has_the_roles_granted_here(
    house: House, provider: OpenIdProvider
) -> None:
    installation = house.installation
    member = Member(id="per", name="Per", email="per@fjordscenen.example", language=Language.NB)
    installation.database.run(installation.staff.set(member))
    installation.grants.grant("per", Grant(Role.HANDLER, SWEDEN), by="eva")
    claims = {"sub": "p1", "email": "Per@fjordscenen.example"}

    hearsay = house.visitor()
    assert comes_back(hearsay, provider, **claims, email_verified=False)[0] == 401
    known = house.visitor()
    assert comes_back(known, provider, **claims, email_verified=True)[0] == 200
    assert "· per<" in known.get("/desk/account").text


@pytest.mark.parametrize("groups", [[], ["others"], None])
def test_nobody_else_comes_in(
    house: House, provider: OpenIdProvider, groups: list[str] | None
) -> None:
    before = set(house.installation.staff.members())
    browser = house.visitor()
    status, page = comes_back(browser, provider, sub="stranger", groups=groups)

    assert status == 401
    assert "no role here" in page
    assert not is_in(browser)
    assert set(house.installation.staff.members()) == before


def test_an_answer_counts_once_and_for_the_browser_that_set_out(
    house: House, provider: OpenIdProvider
) -> None:
    browser, other = house.visitor(), house.visitor()
    provider.next(sub="ida", groups=["team"])
    back = urlsplit(provider.sign_in(away(browser)))
    away(other)
    address = f"{back.path}?{back.query}"

    assert house.visitor().get(address).status_code == 401  # without any cookie of ours
    assert other.get(address).status_code == 401  # with that of another attempt
    mixed_up = query_of(f"http://x/?{back.query}") | {"iss": "https://other.example"}
    kept = dict(browser.cookies)
    assert browser.get(back.path, params=mixed_up).status_code == 401
    browser.cookies.update(kept)
    assert browser.get(address).status_code == 401  # the attempt was used up by that
    assert not is_in(browser)


def test_a_provider_that_declines_leads_back_to_the_door(
    house: House, provider: OpenIdProvider
) -> None:
    browser = house.visitor()
    away(browser)
    page = browser.get(
        "/desk/sign-in/back?error=access_denied&state=x", headers={"Accept-Language": "en"}
    )
    assert page.status_code == 401
    assert "not completed" in page.text


def test_signing_out_leads_to_the_provider_too(house: House, provider: OpenIdProvider) -> None:
    browser = house.visitor()
    comes_back(browser, provider, sub="ida", groups=["team"])

    page = browser.post("/desk/sign-out")

    found = re.search(r'content="0;url=([^"]+)"', page.text)
    assert found is not None
    leaving = unescape(found[1])
    assert leaving.startswith(provider.issuer)
    assert query_of(leaving)["post_logout_redirect_uri"].endswith("/desk/sign-in")
    assert not is_in(browser)


def test_an_auditor_by_group_ends_with_the_session(house: House, provider: OpenIdProvider) -> None:
    browser = house.visitor()
    assert comes_back(browser, provider, sub="rev", groups=["audit"])[0] == 200
    (row,) = house.installation.database.fetch(
        "SELECT grants, ends_at FROM trettio.sessions WHERE grants::text LIKE '%auditor%'"
    )
    assert row["grants"][0]["until"][:13] == row["ends_at"].isoformat()[:13]


@pytest.mark.parametrize(
    "said", ["team", "team=boss", "=handler", "x=system-owner@ours", "x=handler@ours/shop"]
)
def test_a_mapping_that_is_wrong_stops_the_start(said: str) -> None:
    with pytest.raises(SettingsWrong, match="TRETTIO_STAFF_OIDC_ROLES"):
        roles_in(said)


def test_a_group_may_give_several_roles() -> None:
    roles = roles_in("team=handler@a, team = operator ,it=system-owner@a/shop")
    assert [one.role for one in roles["team"]] == [Role.HANDLER, Role.OPERATOR]
    assert roles["it"][0].system == "shop"
