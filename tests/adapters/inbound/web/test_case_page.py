"""The page of a case: its parts, its notes and files, its past, and two people at once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.access import Role
from domain.vocabulary import Compartment, Match
from tests.support.house import KARI, NORWAY, House
from tests.support.roles import held, in_role
from tests.support.steps import asked_for_access, confirm, press, reveal

HEAVY = 60_000


def weak_case(house: House, *, records: int = 0) -> tuple[str, UUID]:
    """Access with one record that only shares a name; every task by hand is answered."""
    held = house.systems.system(NORWAY, "ticketing")
    held.hold(
        KARI,
        "order",
        "namesake",
        match=Match.SAME_NAME,
        fields={"name": "Kari Testesen", "email": "another@person.example", "phone": "40 00 00 00"},
    )
    for number in range(records):
        held.hold(KARI, "order", f"o{number}", fields={"email": KARI, "note": "x" * 400})
    case_id, request_id = asked_for_access(house)
    for name, state in house.installation.register.fulfilment(request_id).systems.items():
        if state.waits_for == "look-up":
            house.installation.byhand.found(
                request_id, name, [], reason="searched-nothing-held", by="ola"
            )
    house.work()
    return f"/desk/cases/{case_id}", request_id


def seen_on(page: str) -> str:
    found = re.search(r'name="seen" value="(\d+)"', page)
    assert found is not None
    return found[1]


def test_every_form_says_from_which_state_it_was_made(house: House) -> None:
    case, _ = weak_case(house)
    desk = house.staff()
    reveal(desk, case)
    page = desk.get(case).text
    assert page.count('<form method="post"') == page.count('name="seen"')
    assert page.count('class="main"') == 1

    officer = in_role(house, held(Role.OFFICER, NORWAY)).get(case).text
    assert set(re.findall(r'<form method="post" action="(/desk/cases/[^"]+)"', officer)) == {
        f"{case}/purpose"
    }
    assert not re.findall(r"<details[^>]*>\s*<summary[^>]*>[^<]*</summary>\s*</details>", officer)


def test_a_colleague_who_was_faster_is_named_and_what_was_typed_stays(house: House) -> None:
    case, _ = weak_case(house)
    first, second = house.staff(), house.staff(staff="per")
    reveal(first, case)
    reveal(second, case)
    seen = seen_on(first.get(case).text)
    press(second, f"{case}/notes", note="Jeg ringer henne i morgen.")

    late = first.post(f"{case}/notes", data={"note": "Mitt eget notat", "seen": seen})
    assert late.status_code == 412
    assert "Notat skrevet" in late.text or "Note written" in late.text
    assert "per" in re.findall(r"(?:av|by) (\w+)<", late.text)
    assert ">Mitt eget notat</textarea>" in late.text
    notes = house.installation.filing.notes(UUID(case[-36:]))
    assert [one.noted.by for one in notes] == ["per"]

    press(first, f"{case}/notes", note="Mitt eget notat", seen=seen_on(late.text))
    assert "Mitt eget notat" in second.get(case).text


def test_what_machines_do_meanwhile_stops_nobody(house: House) -> None:
    case_id = house.receive("Jeg ber om innsyn i det dere har om meg.")
    case, desk = f"/desk/cases/{case_id}", house.staff()
    reveal(desk, case)
    confirm(desk, case, "access")
    seen = seen_on(desk.get(case).text)
    before = house.events()
    house.work()  # the acknowledgement leaves
    assert house.events() > before
    press(desk, f"{case}/identity/verified", method="in-person", seen=seen)


def test_weak_matches_are_judged_together_and_taken_back(house: House) -> None:
    case, request_id = weak_case(house)
    desk = house.staff()
    reveal(desk, case)
    page = desk.get(f"{case}?lang=en").text
    assert "≠ different" in page  # the marks are words, never colour alone
    assert "= same" in page
    (record,) = re.findall(r'name="record" value="([^"]+)"', page)
    matches = f"{case}/requests/{request_id}/matches"
    empty = desk.post(f"{matches}?lang=sv", data={"record": record, f"theirs-{record}": ""})
    assert empty.status_code == 422
    assert "ta ställning till minst en post" in empty.text

    press(desk, matches, **{"record": record, f"theirs-{record}": "no:namesake"})
    request = house.installation.register.request
    assert request(request_id).matches == {UUID(record): False}
    own = f"{case}/requests/{request_id}/records/{record}"
    assert f'action="{own}/match"' in desk.get(own).text
    press(desk, f"{own}/match", theirs="yes:details-agree", page="1")
    assert request(request_id).matches == {UUID(record): True}


def test_many_records_are_shown_some_at_a_time(house: House) -> None:
    case, request_id = weak_case(house, records=45)
    desk = house.staff()
    reveal(desk, case)
    page = desk.get(case).text
    assert len(page.encode()) < HEAVY
    everything = f"{case}/requests/{request_id}/records"
    assert f'href="{everything}"' in page
    first, last = desk.get(everything).text, desk.get(f"{everything}?start=40").text
    assert len(first.encode()) < HEAVY
    assert 'href="?start=20"' in first
    assert "41–46" in last


def test_a_note_is_sealed_signed_and_shown_for_a_purpose(house: House) -> None:
    case, _ = weak_case(house)
    desk = house.staff()
    reveal(desk, case)
    nothing = desk.post(f"{case}/notes", data={"note": "  "})
    assert nothing.status_code == 422
    page = press(desk, f"{case}/notes", note="Bor hos <søsteren> sin.")
    assert "Bor hos &lt;søsteren&gt; sin." in page
    assert "søsteren" not in house.staff(staff="per").get(case).text
    (logged,) = house.installation.database.fetch(
        "SELECT state FROM trettio.log WHERE topic = 'folder.note-added'"
    )
    assert b"s\xc3\xb8steren" not in bytes(logged["state"])


def test_a_file_is_kept_fetched_never_shown_and_removed(house: House) -> None:
    case, _ = weak_case(house)
    desk = house.staff()
    reveal(desk, case)
    document = ("../brev <1>.PDF", b"%PDF-1.7 brevet", "application/pdf")
    sent = desk.post(f"{case}/files", data={"kind": "letter"}, files={"document": document})
    assert sent.status_code == 200, sent.text
    (place,) = set(re.findall(rf'href="({case}/files/[^"]+)"', sent.text))
    got = desk.get(place)
    assert got.content == b"%PDF-1.7 brevet"
    assert got.headers["content-type"] == "application/octet-stream"
    assert re.fullmatch(r'attachment; filename="[\w-]+\.pdf"', got.headers["content-disposition"])
    stranger = house.staff(staff="per").get(place, follow_redirects=False)
    assert stranger.status_code == 303
    press(desk, f"{place}/remove")
    assert desk.get(place).status_code == 404

    for kind in ("proof", "letter"):
        document = (f"{kind}.txt", b"x", "text/plain")
        desk.post(f"{case}/files", data={"kind": kind}, files={"document": document})
    # What shows who somebody is ends with the case; the letter stays as long as the others.
    house.installation.vault.destroy(UUID(case[-36:]), Compartment.UPLOAD)
    names = [one.name for one in house.installation.filing.files(UUID(case[-36:]))]
    assert names == [None, "letter.txt"]


def test_another_case_of_the_same_person_is_linked_and_parted_again(house: House) -> None:
    case, request_id = weak_case(house)
    other_id = house.receive("Innsyn en gang til, takk.", subject="Igjen")
    other, desk = f"/desk/cases/{other_id}", house.staff()
    reveal(desk, other)
    confirm(desk, other, "access")
    page = desk.get(other).text
    assert f'href="{case}"' in page
    pair = {
        name: found[1]
        for name in ("own", "other")
        if (found := re.search(rf'name="{name}" value="([^"]+)"', page))
    }
    press(desk, f"{other}/related/link", **pair)
    linked = house.installation.register.request
    assert linked(UUID(pair["own"])).linked == (request_id,)
    press(desk, f"{other}/related/unlink", **pair)
    assert linked(UUID(pair["own"])).linked == ()


def test_a_case_is_shown_as_it_was_known_on_a_day_and_step_by_step(house: House) -> None:
    case, _ = weak_case(house)
    desk = house.staff()
    today = datetime.now(UTC).date()
    page = desk.get(f"{case}?as_of={today + timedelta(days=2)}&lang=en")
    assert page.status_code == 404
    assert "still to come" in page.text
    assert desk.get(f"{case}?as_of={today - timedelta(days=9)}&lang=en").status_code == 404
    assert desk.get(f"{case}?as_of=igår").status_code == 404
    now = desk.get(f"{case}?as_of={today}&lang=en")
    assert now.status_code == 200
    assert "This is what we knew at the end of" in now.text
    assert "Found: 1, the person&#39;s: 0, undecided: 1." in now.text
    assert now.text.count('method="post"') == 1  # signing out
    assert KARI not in now.text

    whole = desk.get(f"{case}/timeline?lang=en").text
    letters = desk.get(f"{case}/timeline?kind=correspondence&lang=en").text
    assert re.search(r"\d\d:\d\d:\d\d</time>", whole)
    assert 0 < letters.count("<li><time") < whole.count("<li><time")
    assert desk.get(f"{case}/timeline?kind=other").status_code == 404
