"""Whoever audits sees who looked at what, and nothing personal; nobody else does (Art. 32(4))."""

from __future__ import annotations

from domain.access import Role
from tests.support.house import KARI, NORWAY, SWEDEN, House
from tests.support.roles import held, in_role
from tests.support.steps import reveal


def test_looks_are_shown_to_those_who_audit_and_as_a_file(house: House) -> None:
    case_id = house.receive("Jeg ber om innsyn i det dere har om meg.")
    case = f"/desk/cases/{case_id}"
    desk = house.staff()
    reveal(desk, case)
    desk.get(case)
    house.work()
    reference = house.case(case_id).reference
    auditor = in_role(house, held(Role.AUDITOR, NORWAY), staff="rev")

    page = auditor.get("/desk/looks")

    assert f'href="{case}"' in page.text
    assert reference in page.text
    assert "ola" in page.text
    assert KARI not in page.text
    assert "/desk/looks" in auditor.get("/desk/admin").text
    assert reference not in auditor.get("/desk/looks", params={"purpose": "fault"}).text
    assert reference not in auditor.get("/desk/looks", params={"staff": "nobody"}).text
    assert reference not in auditor.get("/desk/looks", params={"month": "2020-01"}).text
    header, row, *_ = auditor.get("/desk/looks.csv").text.splitlines()
    assert header.lstrip("\ufeff").startswith('"at";"staff";"case"')
    assert f'"ola";"{reference}";"{case_id}"' in row

    assert desk.get("/desk/looks").status_code == 403
    elsewhere = in_role(house, held(Role.OFFICER, SWEDEN), staff="pia")
    assert reference not in elsewhere.get("/desk/looks", params={"controller": NORWAY}).text
