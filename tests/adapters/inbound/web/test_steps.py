"""The ways off the straight road: by hand, by list, by post, refused, stuck, sent again."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from fastapi.testclient import TestClient

from adapters.outbound.connectors.csv_file import CsvFile
from domain.fulfilment import SystemStatus
from domain.request import DataSubjectRequest, Status
from domain.vocabulary import Outcome, Right
from services.ports import Task
from tests.support.house import KARI, NORWAY, SWEDEN, House
from tests.support.steps import asked_for_access, confirm, press, reveal


def test_what_somebody_found_by_hand_is_matched_by_what_was_proven(house: House) -> None:
    """A name alone never opens anything; what is filed under a proven address does."""
    case_id, request_id = asked_for_access(house, by_code=True)
    desk = house.staff()
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    place = f"{case}/requests/{request_id}/systems/customer-service/found"
    kind = first_kind(form(desk, case, place))

    empty = desk.post(
        place, data={"key-1": "tråd 7", "kind-1": kind, "matched-1": "email", "task": "1"}
    )
    assert empty.status_code == 422
    assert 'value="tråd 7"' in empty.text
    assert 'action="' + place in empty.text  # what was written stays in sight
    assert desk.post(place, data={}).status_code == 422

    press(
        desk,
        place,
        **{
            "kind-1": kind,
            "key-1": "tråd 7",
            "description-1": "Spurte om rullestolplass.",
            "matched-1": "email",
            "certain-1": "1",
            "kind-2": kind,
            "key-2": "tråd 9",
            "description-2": "Klaget på lyden.",
            "matched-2": "name",
            "certain-2": "1",
        },
    )
    state = house.installation.register.fulfilment(request_id).systems["customer-service"]
    assert state.status is SystemStatus.FOUND
    assert [found.needs_a_person for found in state.found] == [False, True]


def test_a_record_erased_by_hand_needs_a_second_look(house: House) -> None:
    desk, case, request = erasure(house, by_hand={"web": "besøk 7"})
    press(desk, f"{case}/requests/{request.id}/approve", considered="1")
    house.work()
    place = f"{case}/requests/{request.id}/systems/web/erased"
    (record,) = house.installation.register.fulfilment(request.id).systems["web"].found
    gone = f"{record.record_id}:erased"
    assert "<bdi>besøk 7</bdi></legend>" in form(desk, case, place)  # which of them to erase
    assert desk.post(place, data={"erased": gone}).status_code == 422
    refused = desk.post(place, data={"erased": f"{record.record_id}:refused", "looked": "1"})
    assert refused.status_code == 422  # without ground and words nothing is refused
    press(desk, place, erased=gone, looked="1")
    state = house.installation.register.fulfilment(request.id).systems["web"]
    assert state.status is SystemStatus.DONE


def test_a_list_to_erase_by_is_read_for_a_purpose(house: House, tmp_path: Path) -> None:
    """Its rows are personal data: no purpose, no list (MU-22); and a fresh export reads back."""
    export = tmp_path / "export.csv"
    export.write_text("E-post;Melding\n" + f"{KARI};Hei\n", encoding="utf-8")
    options = {"folder": str(tmp_path), "kind": "message", "column.email": "E-post"}
    house.systems.made[SWEDEN, "sms"] = CsvFile(options, lambda: datetime.now(UTC))
    desk, case, request = erasure(house, controller=SWEDEN)
    press(desk, f"{case}/requests/{request.id}/approve", considered="1")
    house.work()
    system = f"{case}/requests/{request.id}/systems/sms"

    stranger = house.staff(staff="per").get(f"{system}/list.csv", follow_redirects=False)
    assert stranger.status_code == 303
    answer = desk.get(f"{system}/list.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert KARI in answer.text

    export.write_text("E-post;Melding\n", encoding="utf-8")
    press(desk, f"{system}/again")
    house.work()
    state = house.installation.register.fulfilment(request.id).systems["sms"]
    assert state.status is SystemStatus.DONE


def test_without_an_address_letter_and_copy_are_printed_and_posted(house: House) -> None:
    case_id = house.receive("Jeg ber om innsyn i det dere har om meg.")
    desk = house.staff()
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    press(
        desk, f"{case}/confirm", right="access", language="nb", kind="name", value="Kari Testesen"
    )
    post_letters(house, desk, case_id)
    press(desk, f"{case}/identity/verified", method="document-seen")
    house.work()
    (request_id,) = house.case(case_id).request_ids
    nothing_by_hand(house, desk, case, request_id)
    press(desk, f"{case}/requests/{request_id}/approve")
    house.work()

    copy = f"{case}/requests/{request_id}/package.zip"
    assert copy in desk.get(case).text
    assert "index.html" in zipfile.ZipFile(io.BytesIO(desk.get(copy).content)).namelist()
    per = house.staff(staff="per")
    assert per.get(copy, follow_redirects=False).status_code == 303
    post_letters(house, desk, case_id)
    assert request_of(house, request_id).status is Status.CLOSED


def test_a_refusal_names_people_and_law_and_is_told(house: House) -> None:
    """Art. 12(4), 12(5): never without reasons, and unfounded only by two, with proof."""
    case_id, request_id = asked_for_access(house)
    desk = house.staff()
    case = f"/desk/cases/{case_id}"
    place = f"{case}/requests/{request_id}"
    words = "Du spør for sjuende gang denne måneden."
    ground = "manifestly-unfounded:unfounded"
    unproven = desk.post(f"{place}/refuse", data={"ground": ground, "words": words})
    assert unproven.status_code == 422
    assert words in unproven.text
    assert ground in unproven.text
    press(desk, f"{place}/refuse", ground=ground, words=words, proof="Seks brev i arkivet")
    assert request_of(house, request_id).refusal is None
    reveal(desk, case)
    assert "Seks brev i arkivet" in desk.get(case).text
    assert desk.post(f"{place}/refusal/confirm").status_code == 422
    press(house.staff(staff="eva"), f"{place}/refusal/confirm")
    house.work()
    assert request_of(house, request_id).status is Status.CLOSED
    assert words in house.mails()[-1].text


def test_a_person_who_takes_it_back_is_not_asked_again(house: House) -> None:
    case_id, request_id = asked_for_access(house, by_code=True)
    desk, case = house.staff(), f"/desk/cases/{case_id}"
    reveal(desk, case)
    in_a_system = f"{case}/requests/{request_id}/systems/"
    assert in_a_system in desk.get(case).text
    press(desk, f"{case}/requests/{request_id}/withdraw")
    assert request_of(house, request_id).status is Status.CLOSED
    assert in_a_system not in desk.get(case).text  # no system is needed any more


def test_an_answer_that_did_not_arrive_is_sent_again(house: House) -> None:
    case_id, request_id = asked_for_access(house)
    desk = house.staff()
    case = f"/desk/cases/{case_id}"
    nothing_by_hand(house, desk, case, request_id)
    press(desk, f"{case}/requests/{request_id}/approve")
    house.work()
    request = request_of(house, request_id)
    request.fail_delivery(reason="answer-not-fetched", at=datetime.now(UTC))
    house.installation.register.save_all([request])

    page = desk.get(f"{case}?lang=en").text
    assert "has not fetched the answer in seven days" in page
    first = house.link("answer")
    press(desk, f"{case}/requests/{request_id}/answer-again", how="mail")
    house.work()
    assert house.link("answer") != first
    assert house.visitor().get(first).status_code == 404
    assert request_of(house, request_id).status is Status.FULFILLED


def test_work_that_was_given_up_is_shown_and_let_loose(house: House) -> None:
    case_id, request_id = asked_for_access(house)
    tasks = house.installation.tasks
    now = datetime.now(UTC)
    mine = Task("mine", "answer", request_id, now, NORWAY)
    others = Task("others", "answer", UUID(int=7), now, SWEDEN)
    house.installation.register.save_all([], [tasks.add(mine), tasks.add(others)])
    for task in tasks.claim(["answer"], worker="test", lease_seconds=60, limit=2):
        tasks.park(task, reason="Refused")
    desk = house.staff(NORWAY)
    case = f"/desk/cases/{case_id}"
    page = desk.get(case).text
    assert 'value="mine"' in page
    assert 'value="others"' not in page
    press(desk, f"{case}/release", task="others")
    press(desk, f"{case}/release", task="mine")
    assert [parked.task.key for parked in tasks.parked()] == ["others"]


def test_ticks_change_the_preview_and_nothing_else(house: House) -> None:
    """Nothing is changed before somebody approves; the words that were typed stay."""
    desk, case, request = erasure(house)
    before = house.events()
    answer = desk.post(
        f"{case}/requests/{request.id}/preview", data={"words": "Mine ord", "considered": "1"}
    )
    assert answer.status_code == 200
    assert "Mine ord" in answer.text
    assert 'name="considered"' not in answer.text or "checked" in answer.text
    assert house.events() == before


def test_an_objection_to_marketing_is_worked_the_same_day(house: House) -> None:
    """Art. 21(3): no identity check, the systems that send are stopped, and a letter says so."""
    case_id = house.receive("Jeg vil ikke ha mer reklame fra dere. Stopp nyhetsbrevet.")
    desk = house.staff()
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    confirm(desk, case, "objection-to-marketing")
    house.work()
    request = request_of(house, house.case(case_id).request_id(Right.OBJECTION_TO_MARKETING))
    assert request.status is Status.CLOSED
    assert {o.outcome for o in request.outcomes} == {Outcome.SUPPRESSED}
    assert "Nothing left to do" in desk.get(f"{case}?lang=en").text


# What these walks share


def erasure(
    house: House, *, controller: str = NORWAY, by_hand: dict[str, str] | None = None
) -> tuple[TestClient, str, DataSubjectRequest]:
    """A request for erasure with everything found, ready to be approved."""
    house.systems.system(controller, "mailing" if controller == NORWAY else "shop").hold(
        KARI, "member" if controller == NORWAY else "waiting_list", "m1"
    )
    case_id = house.receive("Slett alt dere har om meg.", controller=controller)
    desk = house.staff()
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    confirm(desk, case, "erasure")
    press(desk, f"{case}/identity/ask", reason="unknown-sender")
    house.work()
    press(desk, f"{case}/identity/code", code=house.newest_code())
    house.work()
    (request_id,) = house.case(case_id).request_ids
    for system, key in (by_hand or {}).items():
        place = f"{case}/requests/{request_id}/systems/{system}/found"
        kind = first_kind(form(desk, case, place))
        press(
            desk,
            place,
            **{
                "kind-1": kind,
                "key-1": key,
                "description-1": "En tråd.",
                "matched-1": "email",
                "certain-1": "1",
            },
        )
    nothing_by_hand(house, desk, case, request_id)
    return desk, case, request_of(house, request_id)


def first_kind(form_shown: str) -> str:
    """The first sort of record that this form offers."""
    found = re.search(r'<option value="(\w+)">[^<]*\(\1\)', form_shown)
    assert found is not None
    return found[1]


def form(desk: TestClient, case: str, action: str) -> str:
    """One form of the case's page, or of a task's own, as it stands there."""
    page = desk.get(action.rpartition("/")[0] if "/systems/" in action else case).text
    start = page.index(f'action="{action}"')
    return page[start : page.index("</form>", start)]


def nothing_by_hand(house: House, desk: TestClient, case: str, request_id: UUID) -> None:
    fulfilment = house.installation.register.fulfilment(request_id)
    for name, state in fulfilment.systems.items():
        if state.waits_for == "look-up":
            place = f"{case}/requests/{request_id}/systems/{name}/found"
            press(desk, place, nothing="searched-nothing-held")
    house.work()


def post_letters(house: House, desk: TestClient, case_id: UUID) -> None:
    case = house.case(case_id)
    for letter in case.letters.values():
        if letter.printed and letter.id not in case.left:
            press(desk, f"/desk/cases/{case_id}/letters/{letter.id}/posted")
    house.work()


def request_of(house: House, request_id: UUID) -> DataSubjectRequest:
    return house.installation.register.request(request_id)
