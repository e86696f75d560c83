"""A connected system's doors: its own instructions, with its own token, and nobody else's."""

from __future__ import annotations

from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from adapters.inbound.api import instructions
from domain.vocabulary import Compartment, IdentifierKind, Right
from services.ports import Identifier
from tests.support.asking import asked, hurry, verified
from tests.support.house import KARI, SWEDEN, House
from tests.support.told import MAILING, ToldSystem, client_of, nothing_saved, tell


@pytest.fixture
def mailing(house: House) -> ToldSystem:
    return tell(house)


def test_anothers_instruction_is_not_there(house: House, mailing: ToldSystem) -> None:
    """Foreign tokens learn nothing, not even that there is such an instruction."""
    verified(house, Right.ACCESS)
    (told,) = mailing.open()
    theirs = f"/v1/instructions/{told}"
    answer = {"receipt": str(uuid4()), "outcome": "nothing-held"}

    with nothing_saved(house):
        for stranger in (client_of(house, "payment"), client_of(house, MAILING, SWEDEN)):
            assert stranger.get("/v1/instructions").json() == []
            assert stranger.get(theirs).status_code == 404
            assert stranger.post(f"{theirs}/claim").status_code == 404
            assert stranger.post(f"{theirs}/receipt", json=answer).status_code == 404
            unknown = stranger.get(f"/v1/instructions/{uuid4()}").json()
            assert unknown == stranger.get(theirs).json()


def test_a_token_that_is_no_systems_opens_no_instruction(
    house: House, mailing: ToldSystem, api: TestClient
) -> None:
    verified(house, Right.ACCESS)
    (told,) = mailing.open()

    assert api.get("/v1/instructions").json() == []
    assert api.post(f"/v1/instructions/{told}/claim").status_code == 404
    assert mailing.client.get("/v1/cases").status_code == 403
    assert mailing.client.post(f"/v1/instructions/{told}/again").status_code == 403


def test_every_fetch_is_recorded_with_whose_token_and_nothing_of_what_was_shown(
    house: House, mailing: ToldSystem
) -> None:
    verified(house, Right.ACCESS)
    (told,) = mailing.open()
    for _ in range(2):
        assert KARI in str(mailing.claim(told))

    fetched = house.installation.database.fetch(
        "SELECT convert_from(state, 'UTF8') AS state FROM trettio.log"
        " WHERE topic = 'instruction.fetched' ORDER BY notification_id"
    )
    assert len(fetched) == 2
    assert KARI not in str(fetched)
    (listed,) = mailing.client.get("/v1/instructions").json()
    assert listed["fetched"] is True
    assert listed["verb"] == "find"
    assert listed["due"] == mailing.told(told)["due"]


def test_the_tokens_are_those_that_the_systems_own_key_makes(
    house: House, mailing: ToldSystem
) -> None:
    verified(house, Right.ACCESS)
    (told,) = mailing.open()
    (token,) = mailing.told(told)["tokens"]
    keys = house.installation.system_keys
    kari = Identifier(IdentifierKind.EMAIL, KARI)

    assert token == {
        "kind": "email",
        "version": 1,
        "token": keys.of("fjordscenen", MAILING, [kari])[0].value,
    }


def test_the_desk_sees_whether_it_has_looked_and_tells_it_again(
    house: House, mailing: ToldSystem
) -> None:
    case_id = verified(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    (told,) = mailing.open()
    desk = house.staff()
    page = f"/desk/cases/{case_id}"
    assert "Har ikke hentet hvem det gjelder." in desk.get(page).text

    mailing.claim(told)
    assert "Hentet hvem det gjelder" in desk.get(page).text
    sent = desk.post(f"{page}/requests/{request.id}/systems/{MAILING}/again")
    assert sent.status_code == 200

    assert "Fått beskjed 2 ganger" in desk.get(page).text
    assert mailing.client.get(f"/v1/instructions/{told}").json()["times_told"] == 2
    mailing.obey(told)
    hurry(house, destroying=False)
    assert "Har ikke hentet" not in desk.get(page).text


def test_pages_of_a_long_list_lead_on(house: House, mailing: ToldSystem) -> None:
    for _ in range(2):
        house.installation.trials.attempt("fjordscenen", MAILING)

    first = mailing.client.get("/v1/instructions", params={"limit": 3})
    rest = mailing.client.get(first.links["next"]["url"])

    ids = [one["instruction"] for page in (first, rest) for one in page.json()]
    assert len(set(ids)) == len(ids) == 4


def test_a_token_that_fetches_too_fast_is_told_when_to_come_again(
    house: House, mailing: ToldSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instructions, "CLAIMS_A_MINUTE", 2)
    verified(house, Right.ACCESS)
    (told,) = mailing.open()
    claim = f"/v1/instructions/{told}/claim"

    # Of five in a row three are within one minute, wherever it begins.
    answers = [mailing.client.post(claim) for _ in range(5)]
    (refused, *_) = [one for one in answers if one.status_code == 429]

    assert answers[0].status_code == 200
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "Retry-After" in refused.json()["detail"]
    fetched = sum(one.status_code == 200 for one in answers)
    assert house.installation.register.instruction(told).fetches == fetched
    assert client_of(house, MAILING).post(claim).status_code == 200  # another token, its own count


def test_what_has_been_destroyed_is_shown_to_nobody(house: House, mailing: ToldSystem) -> None:
    """Destruction is final: 410, and the fetch that showed nothing is not recorded as one."""
    case_id = verified(house, Right.ACCESS)
    (told,) = mailing.open()
    mailing.claim(told)
    house.installation.vault.destroy(case_id, Compartment.CORRESPONDENCE)

    with nothing_saved(house):
        mailing.claim(told, status=410)
    assert house.installation.instruction_ledger.tokens(told) == ()
