"""Nothing leaks from one controller to another: every page, with all roles, another's ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from domain.access import Role
from domain.vocabulary import Right
from tests.support.asking import Clock, collected
from tests.support.house import NORWAY, SWEDEN, open_house
from tests.support.roles import held, in_role
from tests.support.tenants import walk


@pytest.fixture(scope="module")
def real(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The Norwegian house has a case, a token and a member of staff."""
    with open_house(module_database_url, tmp_path_factory.mktemp("two"), clock=Clock()) as house:
        case_id = collected(house, Right.ERASURE)
        house.token(NORWAY, staff="nora")
        (token,) = [one for one in house.installation.tokens.open() if one.staff_id == "nora"]
        case = house.case(case_id)
        yield (
            house,
            {
                "case_id": case_id,
                "request_id": case.request_id(Right.ERASURE),
                "letter_id": next(iter(case.letters)),
                "token_id": token.id,
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
    asked = list(walk(browser, house.client.app, ids, kept=("system", "code"), under="/desk"))
    assert len(asked) > 60
    for one in asked:
        assert one.theirs == one.nobodys, str(one.address)
        assert one.theirs[0] in {401, 403, 404, 405, 422}, str(one.address)
    assert house.events() == before
