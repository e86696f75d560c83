"""Who looked at what is told by person, purpose and time, and never beyond one's controllers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from domain.controller import controller_id
from domain.looks import Looks
from domain.vocabulary import Content, Door, Purpose
from projections.looks import Wanted, looks_at

Office = Any  # the fixture of this folder's conftest, which cannot be imported


def test_looks_are_listed_newest_first_narrowed_down_and_page_by_page(office: Office) -> None:
    case_id, start = uuid4(), office.at
    at_case = Looks(subject_id=case_id, controller=office.controller, timestamp=start)
    at_all = Looks(
        subject_id=controller_id(office.controller), controller=office.controller, timestamp=start
    )
    elsewhere = Looks(subject_id=uuid4(), controller="other", timestamp=start)
    for number, looks in enumerate((at_case, at_all, at_case, elsewhere)):
        looks.show(
            [Content.PERSON, Content.MESSAGE],
            by=f"staff-{number}",
            purpose=Purpose.REVIEW if number == 1 else Purpose.HANDLE,
            way=Door.DESK,
            at=start + timedelta(hours=2 * number),
        )
    office.save(at_case, at_all, elsewhere)

    def found(wanted: Wanted = Wanted(), **more: Any) -> list[str]:  # noqa: B008
        rows = looks_at(office.sql, [office.controller], wanted, limit=9, **more)
        return [one.staff_id for one in rows]

    assert found() == ["staff-2", "staff-1", "staff-0"]
    assert found(Wanted(staff_id="staff-0")) == ["staff-0"]
    assert found(Wanted(purpose="review")) == ["staff-1"]
    assert found(Wanted(since=start + timedelta(hours=1))) == ["staff-2", "staff-1"]
    assert found(Wanted(before=start + timedelta(hours=1))) == ["staff-0"]
    newest, search, _ = looks_at(office.sql, [office.controller], Wanted(), limit=9)
    assert found(after=newest.position) == ["staff-1", "staff-0"]
    assert (newest.case_id, newest.contents) == (case_id, ["person", "message"])
    assert search.case_id is None, "a search is at no one case"
