"""What is not next on the page of a case is folded, and opens for whoever follows a link to it."""

from __future__ import annotations

import re

from domain.access import Role
from domain.vocabulary import Right
from tests.support.asking import collected
from tests.support.house import NORWAY, House
from tests.support.roles import held, in_role
from tests.support.steps import reveal


def test_what_is_not_next_is_folded_and_every_link_of_the_list_leads_to_a_part(
    house: House,
) -> None:
    case = f"/desk/cases/{collected(house, Right.ACCESS)}"
    desk = house.staff()
    reveal(desk, case)
    page = desk.get(case).text
    for part in ("receipt", "people", "notes", "files"):
        assert re.search(rf'<details>\s*<summary><h2 id="{part}-title">', page), part
    officer = in_role(house, held(Role.OFFICER, NORWAY), staff="odd")
    officer.post(f"{case}/purpose", data={"purpose": "review"})
    for text in (page, officer.get(case).text):
        listed = text.split('<nav class="parts"', 1)[1].split("</nav>", 1)[0]
        for anchor in re.findall(r'href="#([^"]+)"', listed):
            assert f'id="{anchor}"' in text, anchor
    assert "/letters/write" not in text, "what only a handler may do is not offered to others"
    assert 'id="put-right"' not in text
