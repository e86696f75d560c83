"""One click from a mail stops marketing, for machines and people (RFC 8058; GK-18, AO-14, E-16)."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest

from adapters.inbound.web.stop import FIELD, SAID
from adapters.outbound.consistency import check
from adapters.outbound.tokens import Scope
from domain.marketing_stop import MarketingStop
from domain.vocabulary import IdentifierKind, Outcome, Right
from services.ports import AwaitsPerson, Identifier, Result, Unavailable
from tests.support.fake_systems import FakeSystem
from tests.support.house import KARI, NORWAY, SWEDEN, House
from tests.support.incoming import cases

ME = Identifier(IdentifierKind.EMAIL, KARI)
MACHINE = {FIELD: SAID}


def path_for(house: House, controller: str = NORWAY, address: str = KARI) -> str:
    link = house.installation.one_click.link(controller, address)
    return link.removeprefix(house.installation.settings.address)


def stops(house: House) -> list[MarketingStop]:
    rows = house.installation.database.fetch(
        "SELECT originator_id FROM trettio.log WHERE topic = 'marketing-stop.asked'"
        " ORDER BY notification_id"
    )
    found: list[UUID] = [row["originator_id"] for row in rows]
    return [house.installation.register.marketing_stop(one) for one in found]


def test_a_mail_provider_stops_marketing_without_a_case_or_a_letter(house: House) -> None:
    answer = house.client.post(path_for(house), data=MACHINE, follow_redirects=False)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    house.work()

    assert house.systems.system(NORWAY, "mailing").suppressed == {KARI}
    (stop,) = stops(house)
    assert stop.stopped == {"mailing": Outcome.SUPPRESSED}
    assert stop.is_done
    assert cases(house) == []
    assert house.mails() == []
    assert house.installation.suppressions.is_on(NORWAY, ME)
    assert not house.installation.suppressions.is_on(SWEDEN, ME), "only that controller's"
    opened = house.installation
    assert check(opened.database, opened.vault, opened.register.mapper) == []


def test_the_other_encoding_is_understood_and_anything_else_stops_nothing(house: House) -> None:
    multipart: Any = {FIELD: (None, SAID)}
    assert house.client.post(path_for(house), files=multipart).status_code == 200
    before = house.events()

    for body in ({}, {FIELD: "Two-Clicks"}, {"other": "x"}):
        assert house.client.post(path_for(house, address="a@b.example"), data=body).status_code in {
            422
        }
    house.client.get(path_for(house, address="a@b.example"))
    assert house.events() == before


def test_a_person_presses_one_button(house: House) -> None:
    visitor = house.visitor()
    shown = visitor.get(path_for(house) + "?lang=nn")
    assert shown.status_code == 200
    assert "Ikkje meir reklame?" in shown.text
    assert KARI not in shown.text, "whoever the mail was forwarded to need not know"
    assert shown.text.count('class="main"') == 1

    done = visitor.post(path_for(house), data=MACHINE)

    assert 'role="status"' in done.text
    assert "Det er gjort" in done.text


def test_the_same_click_again_changes_nothing_until_they_said_yes_again(house: House) -> None:
    for _ in range(2):
        house.client.post(path_for(house), data=MACHINE)
        house.work()
    (stop,) = stops(house)
    assert stop.version == 2

    house.installation.suppressions.lift(NORWAY, ME, because="signed-up-anew", by="anna")
    mailing = house.systems.system(NORWAY, "mailing")
    mailing.suppressed.clear()
    house.client.post(path_for(house), data=MACHINE)
    house.work()

    assert mailing.suppressed == {KARI}
    assert house.installation.suppressions.is_on(NORWAY, ME)


def test_links_say_nothing_and_nobody_can_make_one(house: House) -> None:
    link = path_for(house)
    assert link == path_for(house)
    assert link != path_for(house, SWEDEN)
    changed = link[:-1] + ("A" if link[-1] != "A" else "B")
    before = house.events()
    for wrong in (changed, "/stop/x", "/stop/" + "a" * 2_000, "/stop/%C3%A6"):
        assert house.client.get(wrong).status_code == 404
        assert house.client.post(wrong, data=MACHINE).status_code == 404
    assert house.events() == before


@pytest.mark.parametrize("controller", [NORWAY, SWEDEN])
def test_what_no_system_does_by_itself_a_person_does_in_a_case(
    house: House, controller: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(self: FakeSystem, person: object, *, key: str) -> Result:
        raise AwaitsPerson("suppress-by-hand")

    monkeypatch.setattr(FakeSystem, "suppress", ask)
    assert house.client.post(path_for(house, controller), data=MACHINE).status_code == 200
    house.work()

    (stop,) = stops(house)
    (case,) = cases(house)
    assert stop.case_id == case.id
    assert case.rights == (Right.OBJECTION_TO_MARKETING,)
    assert case.received_at == stop.asked_at, "the day to act by is that of the click"
    assert house.installation.intake.proposed_identifiers(case.id) == (ME,)


def test_a_system_that_is_away_is_asked_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    suppress = FakeSystem.suppress

    def away(self: FakeSystem, person: object, *, key: str) -> Result:
        raise Unavailable("mailing answered 503")

    monkeypatch.setattr(FakeSystem, "suppress", away)
    house.client.post(path_for(house), data=MACHINE)
    house.work()
    assert not stops(house)[0].is_done
    assert cases(house) == []

    monkeypatch.setattr(FakeSystem, "suppress", suppress)
    house.installation.database.fetch(
        "UPDATE trettio.tasks SET next_at = clock_timestamp() RETURNING 1"
    )
    house.installation.database.fetch("DELETE FROM trettio.lanes RETURNING 1")
    house.work()
    assert stops(house)[0].is_done


def test_who_was_imported_anew_is_stopped_anew(house: House) -> None:
    class Listing(FakeSystem):
        def subscribed(self) -> list[Identifier]:
            return [ME]

    house.systems.made[NORWAY, "mailing"] = Listing()
    house.client.post(path_for(house), data=MACHINE)
    house.work()

    house.installation.suppressions.check(NORWAY, "mailing", house.systems)

    (stop,) = stops(house)
    assert stop.version == 3


def test_a_mailing_system_gets_links_for_its_own_controller_only(house: House) -> None:
    token = house.installation.tokens.create(
        name="mailing",
        staff_id="mailing",
        scopes=frozenset({Scope.INBOX}),
        controllers=frozenset({NORWAY}),
    )
    bearer = {"Authorization": f"Bearer {token}"}

    def ask(controller: str, *addresses: str) -> Any:
        body = {"controller": controller, "addresses": list(addresses)}
        return house.client.post("/v1/one-click-links", json=body, headers=bearer)

    links = ask(NORWAY, KARI, "ola@person.example").json()["links"]
    assert links[0].endswith(path_for(house))
    assert len(set(links)) == 2
    assert ask(SWEDEN, KARI).status_code == 404
    assert ask(NORWAY, "no address").status_code == 422
    # Nobody's address is in what is kept of it.
    house.client.post(
        "/v1/one-click-links",
        json={"controller": NORWAY, "addresses": [KARI]},
        headers={**bearer, "Idempotency-Key": "once"},
    )
    kept = house.installation.database.fetch("SELECT * FROM trettio.idempotency_keys")
    assert kept
    assert KARI not in str(kept)


def test_the_board_counts_clicks_by_month_and_says_not_whose(house: House) -> None:
    """GK-18."""
    desk = house.staff(NORWAY)
    assert "/board/stops" not in desk.get("/board").text
    assert "Nobody has clicked yet." in desk.get("/board/stops?lang=en").text
    for controller, address in ((NORWAY, KARI), (NORWAY, f"x{KARI}"), (SWEDEN, KARI)):
        house.client.post(path_for(house, controller, address), data=MACHINE)
    house.work()

    assert "2 have stopped marketing with one click" in desk.get("/board?lang=en&period=all").text
    assert "/board/stops" not in desk.get("/board?right=access").text
    page = desk.get("/board/stops?lang=en").text
    cells = re.findall(r"<td>(\d+)</td>", page)
    assert cells == ["2", "2", "0", "0"]
    assert KARI not in page
    rows = desk.get("/board/stops.csv").text.splitlines()
    assert len(rows) == 2
    assert KARI not in rows[1]
    assert len(re.findall("<tr>", house.staff().get("/board/stops").text)) == 3
