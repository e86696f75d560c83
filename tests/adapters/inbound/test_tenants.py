"""Nothing leaks from one controller to another: every page, with all roles, another's ids."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from adapters.outbound.tokens import Scope
from domain.access import Role
from domain.vocabulary import Right
from tests.support.asking import Clock, approve, asked, collected
from tests.support.house import KARI, NORWAY, SWEDEN, open_house
from tests.support.roles import held, in_role
from tests.support.tenants import Bodies, walk
from tests.support.told import instructed

NESTED = ("question_id", "claim_id", "passage_id", "disclosure_id", "breach_id", "breach")
"""Ids of what there is nothing of: who may not see the case learns that there is none of them."""

SIGNED = "/v1/opendsr/callbacks/"
"""Opened by a processor's signature and by no token (OpenDSR, 8.8)."""


@pytest.fixture(scope="module")
def real(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The Norwegian house has a case, a token and a member of staff."""
    with open_house(module_database_url, tmp_path_factory.mktemp("two"), clock=Clock()) as house:
        held_there = house.systems.system(NORWAY, "ticketing")
        anchors = {"order_completed": date(2026, 5, 1), "voucher": date(2026, 5, 1)}
        held_there.hold(KARI, "invoice", "i1", flags=frozenset({"paid"}), anchors=anchors)
        case_id = collected(house, Right.ERASURE)
        approve(house, case_id, Right.ERASURE)
        request = asked(house, case_id, Right.ERASURE)
        house.token(NORWAY, staff="nora")
        (token,) = [one for one in house.installation.tokens.open() if one.staff_id == "nora"]
        case = house.case(case_id)
        nothing = dict.fromkeys(NESTED, uuid4())
        yield (
            house,
            nothing
            | {
                "case_id": case_id,
                "hold_id": next(iter(house.installation.held.of_case(case))).id,
                "record_id": next(iter(request.found)),
                "request_id": case.request_id(Right.ERASURE),
                "letter_id": next(iter(case.letters)),
                "token_id": token.id,
                "instruction_id": instructed(house),
                "staff_id": "nora",
                "controller": NORWAY,
                "name": NORWAY,
                "system": "web",
                "code": "archive_duty",
            },
        )


def test_a_login_of_one_controller_learns_nothing_of_another(real: Any) -> None:
    """With every role at once no page is shut for want of one."""
    house, ids = real
    roles = [held(one, SWEDEN, "shop" if one is Role.SYSTEM_OWNER else None) for one in Role]
    browser = in_role(house, *roles)
    before = house.events()
    told = list(walk(browser, house.client.app, ids, kept=("system", "code"), under="/desk"))
    assert len(told) > 60
    for one in told:
        assert one.theirs == one.nobodys, str(one.address)
        assert one.theirs[0] in {401, 403, 404, 405, 422}, str(one.address)
        assert len(one.statements[0]) == len(one.statements[1]), (str(one.address), one.statements)
    assert house.events() == before


def test_a_token_of_one_controller_learns_nothing_of_another(real: Any) -> None:
    """Every command is asked with a body that its description allows, so that none ends early."""
    house, ids = real
    token = house.installation.tokens.create(
        name="pia", staff_id="pia", scopes=frozenset(Scope), controllers=frozenset({SWEDEN})
    )
    headers = {"Authorization": f"Bearer {token}", "X-Purpose": "handle"}
    program = TestClient(house.client.app, headers=headers)
    bodies = Bodies(program.get("/v1/openapi.json").json())
    before = house.events()
    told = list(
        walk(program, house.client.app, ids, kept=("system", "code"), under="/v1", bodies=bodies)
    )
    assert len(told) > 90
    for one in told:
        assert one.theirs == one.nobodys, str(one.address)
        shut = 403 if one.address.path.startswith(SIGNED) else 404
        assert one.theirs[0] == shut, f"{one.address}: {one.theirs}"
        assert len(one.statements[0]) == len(one.statements[1]), str(one.address)
    assert house.events() == before
