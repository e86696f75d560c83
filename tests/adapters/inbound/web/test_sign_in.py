"""The door: an account from its invitation to signing out everywhere, and what a session is."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pyotp
import pytest
from fastapi.testclient import TestClient

from domain.access import Grant, Role
from tests.support.house import NORWAY, House, open_house
from tests.support.roles import held, in_role


@pytest.fixture(scope="module")
def house(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(module_database_url, tmp_path_factory.mktemp("door")) as opened:
        yield opened


@pytest.fixture(autouse=True)
def nobody_is_in(house: House) -> None:
    house.installation.database.fetch("DELETE FROM trettio.sessions RETURNING id")
    house.installation.database.fetch("DELETE FROM trettio.sign_in_failures RETURNING about")


GOOD = "hest batteri stift riktig"


def invited(house: House, browser: TestClient) -> tuple[str, TestClient]:
    """Ida has accepted an invitation in this browser; answers her second factor."""
    installation = house.installation
    installation.staff.know("ida", "Ida Testesen")
    installation.grants.grant("ida", Grant(Role.HANDLER, NORWAY), by="eva")
    link = f"/desk/invited/{installation.accounts.invite('ida', by='eva')}"
    shown = browser.get(link)
    found = re.search(r'class="secret">([A-Z2-7]+)<', shown.text)
    assert found is not None
    code = pyotp.TOTP(found[1]).now()
    page = browser.post(link, data={"password": GOOD, "again": GOOD, "code": code})
    assert page.status_code == 200, page.text
    return found[1], browser


def test_an_invitation_becomes_an_account_and_a_session(house: House) -> None:
    browser = house.visitor()
    second_factor, _ = invited(house, browser)

    assert "/desk/sign-in" not in str(browser.get("/desk").url)
    assert "ida" in browser.get("/desk/account").text
    assert "<svg" not in browser.get("/desk/account").text  # the second factor is not shown again
    assert second_factor not in browser.get("/desk/account").text


def test_the_page_of_an_invitation_says_what_is_wrong(house: House) -> None:
    house.installation.staff.know("ida", "Ida Testesen")
    link = f"/desk/invited/{house.installation.accounts.invite('ida', by='eva')}"
    browser = house.visitor()
    for fields, word in (
        ({"password": "kort", "again": "kort"}, "at least 12"),
        ({"password": GOOD, "again": "noe annet"}, "differ"),
        ({"password": GOOD, "again": GOOD, "code": "000000"}, "Wait for the next one"),
    ):
        page = browser.post(link, data={"code": "1", **fields}, headers={"Accept-Language": "en"})
        assert page.status_code == 422
        assert word in page.text
        assert GOOD not in page.text
    assert browser.get("/desk/invited/none").status_code == 404


def test_an_account_signs_in_again_and_every_failure_looks_alike(house: House) -> None:
    second_factor, _ = invited(house, house.visitor())
    browser = house.visitor()
    code = pyotp.TOTP(second_factor).at(time.time() + 30)
    answers = [
        browser.post("/desk/sign-in/account", data={"name": name, "password": said, "code": c})
        for name, said, c in (
            ("ida", "galt passord her", code),
            ("ida", GOOD, "000000"),
            ("nobody", GOOD, code),
        )
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert len({str(sorted(answer.headers.items())) for answer in answers}) == 1

    entered = browser.post(
        "/desk/sign-in/account", data={"name": "Ida", "password": GOOD, "code": code}
    )
    assert entered.status_code == 200
    assert str(entered.url).endswith("/desk")


def test_signing_out_everywhere_ends_the_other_browser_too(house: House) -> None:
    first = in_role(house, held(Role.HANDLER, NORWAY))
    second = in_role(house)
    assert first.get("/desk/account").text.count("/desk/account/sessions/") == 2

    second.post("/desk/account/everywhere")

    for browser in (first, second):
        assert "/desk/sign-in" in str(browser.get("/desk").url)


def test_a_session_of_another_is_not_ended(house: House) -> None:
    ida = in_role(house, held(Role.HANDLER, NORWAY))
    per = in_role(house, held(Role.HANDLER, NORWAY), staff="per")
    (theirs,) = house.installation.sessions.of("ida")

    per.post(f"/desk/account/sessions/{theirs.id}/end")
    assert "/desk/sign-in" not in str(ida.get("/desk").url)
    ida.post(f"/desk/account/sessions/{theirs.id}/end")
    assert "/desk/sign-in" in str(ida.get("/desk").url)


@pytest.mark.parametrize(
    "change",
    [
        "seen_at = seen_at - interval '31 minutes'",
        "ends_at = clock_timestamp()",
    ],
)
def test_a_session_ends_when_nobody_is_there_and_after_a_day_s_work(
    house: House, change: str
) -> None:
    browser = in_role(house, held(Role.HANDLER, NORWAY))
    with house.installation.database.transaction() as connection:
        connection.execute(f"UPDATE trettio.sessions SET {change}".encode())

    assert "/desk/sign-in" in str(browser.get("/desk").url)


def test_signing_out_ends_the_session_and_not_only_the_cookie(house: House) -> None:
    browser = house.staff()
    kept = browser.cookies["trettio-desk"]
    browser.post("/desk/sign-out")
    copy = house.visitor()
    copy.cookies.set("trettio-desk", kept)

    assert "/desk/sign-in" in str(copy.get("/desk").url)


def test_a_session_ends_with_the_token_that_it_was_begun_with(house: House) -> None:
    browser = house.staff(staff="ida")
    assert "/desk/sign-in" not in str(browser.get("/desk").url)

    house.installation.tokens.revoke("desk of ida")

    assert "/desk/sign-in" in str(browser.get("/desk").url)


def test_the_secret_of_a_session_is_new_each_time_and_not_at_rest(house: House) -> None:
    sessions = house.installation.sessions
    token = house.token()
    browser, again = house.visitor(), house.visitor()
    for one in (browser, again):
        one.post("/desk/sign-in", data={"token": token})
    secrets = {one.cookies["trettio-desk"] for one in (browser, again)}

    assert len(secrets) == 2
    assert token not in secrets
    stored = house.installation.database.fetch("SELECT s::text AS all FROM trettio.sessions s")
    assert not [row for row in stored for one in secrets if one in row["all"]]
    assert sessions.find("no such secret") is None


@pytest.mark.parametrize(
    ("address", "leads_to"),
    [
        ("/desk/cases/x", "/desk/cases/x"),
        ("/board", "/board"),
        ("//evil.example", "/desk"),
        ("/desk/\\evil.example", "/desk"),
        ("https://evil.example/desk/", "/desk"),
        ("/desk/sign-out", "/desk"),
    ],
)
def test_the_door_leads_nowhere_else(house: House, address: str, leads_to: str) -> None:
    browser = house.visitor()
    answer = browser.post(
        "/desk/sign-in", data={"token": house.token(), "next": address}, follow_redirects=False
    )
    assert answer.headers["location"] == leads_to
