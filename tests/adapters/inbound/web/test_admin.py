"""The pages of those who run an installation: people, roles, tokens, systems and profiles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from fastapi.testclient import TestClient

from adapters.inbound.web.admin_tokens import WHO_GIVES
from adapters.inbound.web.look import TEXTS
from adapters.outbound.tokens import SCOPES, Scope
from domain.access import Grant, Role
from domain.vocabulary import Language, StaffMail
from services.wording import wording
from tests.support.house import NORWAY, ORGANISATIONS, SWEDEN, House, open_house
from tests.support.roles import held, in_role, sign_in

EN = {"Accept-Language": "en"}
PEOPLE = "/desk/admin/people"


@pytest.fixture(scope="module")
def house(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(module_database_url, tmp_path_factory.mktemp("admin")) as opened:
        yield opened


@pytest.fixture
def operator(house: House) -> TestClient:
    """Runs the Norwegian house, and nothing else."""
    return in_role(house, held(Role.OPERATOR, NORWAY), staff="opal")


def send(browser: TestClient, address: str, **fields: Any) -> Any:
    return browser.post(address, data=fields, headers=EN)


def added(browser: TestClient, staff_id: str, **more: Any) -> None:
    facts = {"id": staff_id, "name": staff_id.title(), "language": "nb", **more}
    assert send(browser, PEOPLE, **facts).status_code == 200


def test_somebody_is_added_given_a_role_and_invited(house: House, operator: TestClient) -> None:
    added(operator, "nora", at=NORWAY)
    here = f"{PEOPLE}/nora"
    given = send(operator, f"{here}/grant", role="handler", controller=NORWAY)
    assert "The role is given" in given.text
    invited = send(operator, f"{here}/invite")
    link = re.search(r"/desk/invited/[\w-]+", invited.text)
    assert link is not None
    assert house.visitor().get(link[0]).status_code == 200
    assert link[0] not in operator.get(here).text  # shown once

    browser = house.visitor()
    sign_in(browser, house, "nora")
    assert browser.get("/desk").status_code == 200

    send(operator, f"{here}/revoke", grant=f"handler/{NORWAY}/")
    assert house.installation.grants.of("nora") == ()
    history = operator.get(PEOPLE, headers=EN).text
    assert "given by opal" in history
    assert "taken back by opal" in history


def test_nobody_gives_themselves_anything(house: House, operator: TestClient) -> None:
    added(operator, "opal", at=NORWAY)
    before = house.installation.grants.of("opal")

    for step, fields in (
        ("grant", {"role": "handler", "controller": NORWAY}),
        ("invite", {}),
        ("deactivate", {}),
    ):
        answer = send(operator, f"{PEOPLE}/opal/{step}", **fields)
        assert answer.status_code == 422
        assert "ask a colleague" in answer.text
    assert house.installation.grants.of("opal") == before


def test_whoever_runs_one_controller_knows_nobody_of_another(
    house: House, operator: TestClient
) -> None:
    added(in_role(house, held(Role.OPERATOR), staff="evert"), "sven", at=SWEDEN)
    added(in_role(house, held(Role.OPERATOR), staff="evert"), "alva")  # for all controllers

    assert "sven" not in operator.get(PEOPLE).text
    for name in ("sven", "alva"):
        theirs = operator.get(f"{PEOPLE}/{name}")
        nobodys = operator.get(f"{PEOPLE}/nobody")
        assert theirs.status_code == nobodys.status_code == 404
        assert theirs.content == nobodys.content
        for step in ("grant", "revoke", "invite", "deactivate", "reactivate"):
            assert send(operator, f"{PEOPLE}/{name}/{step}").status_code == 404


def test_a_role_is_given_no_further_than_one_s_own_reaches(
    house: House, operator: TestClient
) -> None:
    added(operator, "liv", at=NORWAY)
    here = f"{PEOPLE}/liv/grant"

    assert send(operator, here, role="handler", controller=SWEDEN).status_code == 404
    assert send(operator, here, role="handler", controller="").status_code == 422
    assert "until when" in send(operator, here, role="auditor", controller=NORWAY).text
    owner = {"role": "system-owner", "controller": NORWAY}
    assert "no such system" in send(operator, here, **owner, system="none").text
    assert send(operator, here, **owner, system="web").status_code == 200
    assert house.installation.grants.of("liv") == (Grant(Role.SYSTEM_OWNER, NORWAY, "web"),)


def test_whoever_has_left_opens_nothing_by_any_door(house: House, operator: TestClient) -> None:
    added(operator, "mona", at=NORWAY)
    house.installation.grants.grant("mona", Grant(Role.HANDLER, NORWAY), by="eva")
    token = house.token(NORWAY, staff="mona")
    browser = house.visitor()
    sign_in(browser, house, "mona")

    send(operator, f"{PEOPLE}/mona/deactivate")

    assert "/desk/sign-in" in str(browser.get("/desk").url)
    sign_in(browser, house, "mona")
    assert "/desk/sign-in" in str(browser.get("/desk").url)
    assert house.installation.tokens.bearer(token) is None
    assert "mona" not in house.installation.staff.members()

    send(operator, f"{PEOPLE}/mona/reactivate")
    sign_in(browser, house, "mona")
    assert "/desk/sign-in" not in str(browser.get("/desk").url)


def test_nobody_is_invited_into_what_the_inviter_does_not_run(
    house: House, operator: TestClient
) -> None:
    """Neither by a link nor by an address that the provider then takes for theirs."""
    for name, grant in (("eli", Grant(Role.HANDLER, SWEDEN)), ("alf", Grant(Role.DECISION_MAKER))):
        added(operator, name, at=NORWAY)
        house.installation.grants.grant(name, grant, by="eva")
        refused = send(operator, f"{PEOPLE}/{name}/invite")
        assert refused.status_code == 422
        assert "beyond what you run" in refused.text
        assert "/desk/invited/" not in refused.text
        facts = {"name": name.title(), "language": "nb", "at": NORWAY}
        moved = send(operator, f"{PEOPLE}/{name}", **facts, email="opal@venue.example")
        assert moved.status_code == 422
        assert house.installation.staff.members()[name].email is None
        assert send(operator, f"{PEOPLE}/{name}", **facts).status_code == 200
        assert house.installation.accounts.invitations(name, most=9) == []
    everywhere = in_role(house, held(Role.OPERATOR), staff="evert")
    assert "/desk/invited/" in send(everywhere, f"{PEOPLE}/eli/invite").text


def test_an_invitation_stands_on_the_page_and_the_person_is_told(
    house: House, operator: TestClient
) -> None:
    added(operator, "siri", at=NORWAY, email="siri@venue.example")
    here = f"{PEOPLE}/siri"
    first, second = (
        re.search(r"/desk/invited/([\w-]+)", send(operator, f"{here}/invite").text)
        for _ in range(2)
    )
    assert first is not None
    assert second is not None
    assert operator.get(here, headers=EN).text.count("invited by opal") == 2
    assert house.installation.accounts.invited(first[1]) is None
    assert house.installation.accounts.invited(second[1]) is not None

    house.work()
    told = [one for one in house.mails() if one.recipient == "siri@venue.example"]
    assert [one.kind for one in told] == [StaffMail.INVITED] * 2
    assert all("opal" in one.text.lower() and "/desk/invited/" not in one.text for one in told)

    send(operator, f"{here}/deactivate")
    assert house.installation.accounts.invited(second[1]) is None
    assert operator.get(here, headers=EN).text.count("invited by opal") == 2


def test_a_token_is_shown_once_and_gives_no_more_than_its_maker_has(
    house: House, operator: TestClient
) -> None:
    added(operator, "tor", at=NORWAY)
    tokens = "/desk/admin/tokens"
    made = send(operator, tokens, name="mailroom", staff="tor", scope="inbox", controller=NORWAY)
    token = re.search(r"trt_[\w-]+", made.text)
    assert token is not None
    bearer = house.installation.tokens.bearer(token[0])
    assert bearer is not None
    assert (bearer.staff_id, bearer.controllers) == ("tor", frozenset({NORWAY}))
    assert token[0] not in operator.get(tokens).text

    desk = {"name": "more", "staff": "tor", "controller": NORWAY}
    assert "cannot give" in send(operator, tokens, **desk, scope="desk").text
    assert "cannot give" in send(operator, tokens, name="x", staff="tor", scope="inbox").text
    assert send(operator, tokens, **desk | {"controller": SWEDEN}, scope="inbox").status_code == 404
    assert (
        "cannot end before"
        in send(operator, tokens, **desk, scope="inbox", until="2020-01-01").text
    )

    (listed,) = [one for one in house.installation.tokens.open() if one.name == "mailroom"]
    elsewhere = in_role(house, held(Role.OPERATOR, SWEDEN), staff="sol")
    assert "mailroom" not in elsewhere.get(tokens).text
    assert send(elsewhere, f"{tokens}/{listed.id}/revoke").status_code == 404
    send(operator, f"{tokens}/{listed.id}/revoke")
    assert house.installation.tokens.bearer(token[0]) is None


def test_a_token_never_makes_one_person_two(house: House, operator: TestClient) -> None:
    """Neither in a colleague's name, nor with a permission that no role of its maker has."""
    tokens, here = "/desk/admin/tokens", {"name": "borrowed", "controller": NORWAY}
    added(operator, "dagny", at=NORWAY)
    hanna = in_role(house, held(Role.HANDLER, NORWAY), held(Role.OPERATOR, NORWAY), staff="hanna")
    for scope in ("desk", "admin"):
        for staff in ("dagny", "hanna"):
            answer = send(hanna, tokens, **here, staff=staff, scope=scope)
            assert answer.status_code == 422, (scope, staff)
            assert "cannot give" in answer.text
    assert "trt_" in send(hanna, tokens, **here, staff="dagny", scope="read").text
    assert "cannot give" in send(operator, tokens, **here, staff="opal", scope="read").text

    roles = (Role.OPERATOR, Role.DECISION_MAKER, Role.OFFICER)
    holds_all = in_role(house, *(held(one, NORWAY) for one in roles), staff="alma")
    for scope in ("desk", "admin"):
        lent = send(holds_all, tokens, **here, staff="dagny", scope=scope)
        assert lent.status_code == 422
        assert "your own id" in lent.text
        assert "trt_" in send(holds_all, tokens, **here, staff="alma", scope=scope).text
    mixed = send(holds_all, tokens, **here, staff="dagny", scope=["inbox", "desk"])
    assert mixed.status_code == 422


def test_every_scope_says_who_may_give_it_and_what_it_is() -> None:
    words = wording(TEXTS, Language.NN)
    assert set(WHO_GIVES) == set(Scope) == set(SCOPES)
    assert all(words.find(f"scopes.{one.value}") for one in Scope)


def test_systems_are_listed_for_those_who_run_them(house: House, operator: TestClient) -> None:
    page = operator.get("/desk/admin/systems").text
    assert NORWAY in page
    assert SWEDEN not in page
    for controller, system in ((SWEDEN, "shop"), (NORWAY, "none")):
        tried = send(operator, f"/desk/admin/systems/{controller}/{system}/try")
        assert tried.status_code == 404


def test_a_profile_is_compared_checked_and_put_in_force(house: House) -> None:
    here = f"/desk/admin/profiles/{NORWAY}"
    decides = in_role(house, held(Role.DECISION_MAKER, NORWAY), staff="dina")
    before = (ORGANISATIONS / f"{NORWAY}.toml").read_text("utf-8")
    version = re.search(r'^version = "(.+)"$', before, re.MULTILINE)
    assert version is not None
    new = before.replace(version[0], 'version = "2099-01-01"', 1)

    unchanged = send(decides, f"{here}/compare", document=before)
    assert "one in force" in unchanged.text
    compared = send(decides, f"{here}/compare", document=new.replace("\n", "\r\n"))
    text = unescape(compared.text)
    assert f"<del>{version[0]}</del>" in text
    assert '<ins>version = "2099-01-01"</ins>' in text
    assert house.installation.controllers.in_force(NORWAY).version == version[1]

    put = send(decides, f"{here}/adopt", document=new)
    assert "The profile is in force" in put.text
    assert house.installation.controllers.in_force(NORWAY).version == "2099-01-01"
    assert house.installation.controllers.document(NORWAY) == new

    for wrong in ("not toml [", new.replace(f'id = "{NORWAY}"', 'id = "other"', 1)):
        assert send(decides, f"{here}/compare", document=wrong).status_code == 422
        assert send(decides, f"{here}/adopt", document=wrong).status_code == 422
    assert send(decides, f"/desk/admin/profiles/{SWEDEN}/adopt", document=new).status_code == 404


@pytest.mark.parametrize(
    ("role", "opens", "shut"),
    [
        (Role.OPERATOR, ("people", "tokens", "systems"), ("profiles",)),
        (Role.AUDITOR, ("people", "profiles"), ("tokens", "systems")),
        (Role.DECISION_MAKER, ("profiles",), ("tokens", "systems")),
        (Role.HANDLER, (), ("people", "profiles", "tokens", "systems")),
    ],
    ids=lambda value: getattr(value, "value", None),
)
def test_each_page_is_for_its_roles(
    house: House, role: Role, opens: tuple[str, ...], shut: tuple[str, ...]
) -> None:
    browser = in_role(house, held(role, NORWAY), staff=f"who-{role.value}")
    for name in opens:
        assert browser.get(f"/desk/admin/{name}").status_code == 200, name
    for name in shut:
        assert browser.get(f"/desk/admin/{name}").status_code == 403, name
    menu = browser.get("/desk/account").text
    assert ('href="/desk/admin"' in menu) == (role is not Role.HANDLER)
    if role in {Role.AUDITOR, Role.DECISION_MAKER}:
        assert send(browser, PEOPLE, id="x", name="x", language="nb").status_code == 403
