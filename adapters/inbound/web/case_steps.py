"""What the buttons of a case do; each leads back to its page, or shows there why it could not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import ValidationError

from adapters.inbound.api.errors import status_of
from adapters.inbound.web.case import case_page
from adapters.inbound.web.pages import Form, NotHere, PageRoute, Sent, download, go, one_of
from adapters.inbound.web.session import AtDesk, Desk, Handles, Reveals
from adapters.inbound.web.steps import address_of, carry_out, id_in, identifiers_in
from adapters.outbound.connectors.csv_file import CsvFile
from adapters.outbound.connectors.manual import FoundRow, ManualAnswer
from domain.case import Case
from domain.errors import DomainError
from domain.fulfilment import Fulfilment
from domain.request import RefusalGround
from domain.vocabulary import (
    Content,
    Decision,
    IdentifierKind,
    IdentityMethod,
    Language,
    Outcome,
    Purpose,
    Right,
    Unidentified,
)
from services import dossier
from services.fulfilment import person_of
from services.ports import CodeCheck, Refused, Result, Treatment

ROWS = 3
"""How many found records one sending of the form takes."""

router = APIRouter(prefix="/desk/cases/{case_id}", route_class=PageRoute, include_in_schema=False)


@router.post("/purpose")
def take_purpose(desk: Reveals, case_id: UUID, sent: Form) -> Response:
    """Say what for the case is read; the page then shows what people wrote."""
    case = desk.case(case_id)
    response = go(address_of(case))
    purpose = one_of(Purpose, sent.one("purpose"))
    desk.looked_at(case, purpose)
    desk.take_purpose(str(case.id), purpose, response, address_of(case))
    return response


# The message


@router.post("/confirm")
def confirm(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)

    def command() -> None:
        desk.installation.intake.confirm(
            case.id,
            rights=tuple(one_of(Right, one) for one in sent.all("right")),
            language=one_of(Language, sent.one("language")),
            identifiers=tuple(identifiers_in(sent)),
            by=desk.staff_id,
            purposes=tuple(sent.all("consent")),
        )

    return carry_out(desk, case, sent, command, form="confirm", done="confirmed")


# Identity


@router.post("/identity/ask")
def ask(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)

    def command() -> None:
        desk.installation.identity.ask(case.id, reason=sent.one("reason"), by=desk.staff_id)

    return carry_out(desk, case, sent, command, form="ask", done="code-sent")


@router.post("/identity/code")
def try_code(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    """Try a code that the person read out or wrote back."""
    case = desk.case(case_id)
    answers: list[CodeCheck] = []

    def command() -> None:
        answers.append(desk.installation.identity.check_code(case.id, sent.one("code")))

    response = carry_out(desk, case, sent, command, form="code", done="verified")
    if answers and answers[0] is not CodeCheck.RIGHT:
        return case_page(
            desk,
            desk.case(case_id),
            form="code",
            sent=sent,
            error_key=f"code-{answers[0].value}",
            status=status_of(DomainError()),
        )
    return response


@router.post("/identity/verified")
def verified(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)

    def command() -> None:
        method = one_of(IdentityMethod, sent.one("method"))
        desk.installation.identity.verify_by_hand(case.id, method=method, by=desk.staff_id)

    return carry_out(desk, case, sent, command, form="verified", done="verified")


# Matches and decisions


@router.post("/requests/{request_id}/records/{record_id}/match")
def match(desk: AtDesk, case_id: UUID, request_id: UUID, record_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)
    request = desk.asked(case, request_id)

    def command() -> None:
        verdict, _, reason = sent.one("theirs").partition(":")
        if verdict not in {"yes", "no"}:
            raise DomainError("say whether the record is theirs, and why")
        desk.installation.deciding.decide_match(
            request.id, record_id, theirs=verdict == "yes", reason=reason, by=desk.staff_id
        )

    place = f"records-{request.right.value}"
    return carry_out(
        desk, case, sent, command, form=f"match-{record_id}", done="match", place=place
    )


@router.post("/requests/{request_id}/preview")
def preview(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    """What would become of each record with these answers; nothing is changed."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    return case_page(
        desk, case, form=f"approve-{request.right.value}", sent=sent, answers=_answers(sent)
    )


@router.post("/requests/{request_id}/approve")
def approve(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)
    request = desk.asked(case, request_id)

    def command() -> None:
        desk.installation.deciding.approve(
            request.id,
            by=desk.staff_id,
            answers=_answers(sent),
            considered=sent.has("considered"),
            words=sent.one("words"),
            full_cards=sent.has("full_cards"),
            tell=sent.has("tell"),
        )

    return _on_request(desk, case, request.right, sent, command, form="approve", done="approved")


@router.post("/requests/{request_id}/refuse")
def refuse(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    """Refuse a request as a whole; what Art. 12(5) allows is proposed to a second person."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    ground, _, code = sent.one("ground").partition(":")
    refusing = desk.installation.refusing

    def command() -> None:
        what, words = one_of(RefusalGround, ground), sent.one("words")
        if what.needs_two_people:
            refusing.propose(
                request.id,
                ground=what,
                law=code,
                words=words,
                proof=sent.one("proof"),
                fee=sent.one("fee"),
                by=desk.staff_id,
            )
        else:
            refusing.refuse(
                request.id,
                ground=what,
                law=code,
                words=words,
                proof=sent.one("proof"),
                shown=one_of(Unidentified, sent.one("shown")) if sent.one("shown") else None,
                by=desk.staff_id,
            )

    two = ground in {one.value for one in RefusalGround if one.needs_two_people}
    done = "refusal-proposed" if two else "refused"
    return _on_request(desk, case, request.right, sent, command, form="end", done=done)


@router.post("/requests/{request_id}/withdraw")
def withdraw(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)
    request = desk.asked(case, request_id)

    def command() -> None:
        desk.installation.refusing.withdraw(request.id, by=desk.staff_id)

    return _on_request(desk, case, request.right, sent, command, form="end", done="withdrawn")


@router.post("/requests/{request_id}/answer-again")
def answer_again(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    """Write the answer anew after it did not arrive."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)

    def command() -> None:
        desk.installation.answering.answer_again(
            request.id, by=desk.staff_id, by_post=sent.one("how") == "post"
        )

    return _on_request(
        desk, case, request.right, sent, command, form="again", done="answering-again"
    )


@router.get("/requests/{request_id}/package.zip")
def package(desk: Reveals, case_id: UUID, request_id: UUID) -> Response:
    """The copy that is printed and put into the envelope with the letter."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    if desk.look_into(case, Content.PACKAGE) is None:
        return go(address_of(case))
    return download(
        desk.installation.answering.package(request.id),
        f"{case.reference}.zip",
        media_type="application/zip",
    )


# Systems


@router.post("/requests/{request_id}/systems/{system}/again")
def try_again(desk: AtDesk, case_id: UUID, request_id: UUID, system: str, sent: Form) -> Response:
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    _planned(desk, request_id, system)

    def command() -> None:
        desk.installation.fulfilments.try_again(request.id, system, by=desk.staff_id)

    place = f"systems-{request.right.value}"
    return carry_out(desk, case, sent, command, form="again", done="asked-again", place=place)


@router.post("/requests/{request_id}/systems/{system}/found")
def found(desk: AtDesk, case_id: UUID, request_id: UUID, system: str, sent: Form) -> Response:
    """What a person found there, or why there is nothing."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    _planned(desk, request_id, system)

    def command() -> None:
        rows = tuple(_found_rows(sent))
        person = person_of(desk.installation.vault, request)
        if not rows and not sent.one("nothing"):
            raise DomainError("describe what you found, or say why there is nothing")
        if rows and sent.one("nothing"):
            raise DomainError("either something was found or nothing: clear one of the two")
        records = ManualAnswer(found=rows).to_records(person) if rows else []
        desk.installation.byhand.found(
            request.id,
            system,
            records,
            reason=sent.one("nothing") or "searched-by-hand",
            by=desk.staff_id,
        )

    return _by_hand(desk, case, request.right, system, sent, command)


@router.post("/requests/{request_id}/systems/{system}/erased")
def erased(desk: AtDesk, case_id: UUID, request_id: UUID, system: str, sent: Form) -> Response:
    """What became of each record that somebody was to erase there."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    _planned(desk, request_id, system)

    def command() -> None:
        results = {}
        for one in sent.all("erased"):
            record_id, _, outcome = one.partition(":")
            results[id_in(record_id)] = _result(one_of(Outcome, outcome), record_id, sent)
        desk.installation.byhand.erased(
            request.id, system, results, looked_again=sent.has("looked"), by=desk.staff_id
        )

    return _by_hand(desk, case, request.right, system, sent, command)


@router.post("/requests/{request_id}/systems/{system}/done")
def done(desk: AtDesk, case_id: UUID, request_id: UUID, system: str, sent: Form) -> Response:
    """A suppression, a recipient informed, a right worked by hand."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    _planned(desk, request_id, system)

    def command() -> None:
        outcome = one_of(Outcome, sent.one("outcome"))
        reason = sent.one("nothing") if outcome is Outcome.NOT_FOUND else ""
        desk.installation.byhand.done(
            request.id, system, outcome=outcome, reason=reason, by=desk.staff_id
        )

    return _by_hand(desk, case, request.right, system, sent, command)


@router.get("/requests/{request_id}/systems/{system}/list.csv")
def erasure_list(desk: Handles, case_id: UUID, request_id: UUID, system: str) -> Response:
    """The rows to erase over there, as a spreadsheet reads them."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    fulfilment = _planned(desk, request_id, system)
    if desk.look_into(case, Content.IDENTIFIERS, Content.RECORD) is None:
        return go(address_of(case))
    try:
        connector = desk.installation.systems.connector(case.controller, system)
        if not isinstance(connector, CsvFile):
            raise NotHere
        content = connector.erasure_list(
            list(_treatments(desk, fulfilment, system)),
            person_of(desk.installation.vault, request),
        )
    except Refused as error:
        return case_page(desk, case, error=error.reason, status=status_of(DomainError()))
    return download(content, f"{case.reference}-{system}.csv", media_type="text/csv; charset=utf-8")


# Letters


@router.post("/letters/{letter_id}/posted")
def posted(desk: AtDesk, case_id: UUID, letter_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)

    def command() -> None:
        desk.installation.answering.letter_left(case.id, letter_id, how="post", by=desk.staff_id)

    return carry_out(desk, case, sent, command, form="posted", done="posted", place="letters")


@router.post("/letters/{letter_id}/again")
def send_again(desk: AtDesk, case_id: UUID, letter_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)
    if letter_id not in case.letters:
        raise NotHere

    def command() -> None:
        desk.installation.answering.send_again(case.id, letter_id)

    return carry_out(desk, case, sent, command, form="send-again", done="sending", place="letters")


# Work that was given up


@router.post("/release")
def release(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    """Let a task that was given up be tried again; only one of this case."""
    case = desk.case(case_id)

    def command() -> None:
        ours = {case.id, *case.request_ids}
        for parked in desk.installation.tasks.parked():
            if parked.task.key == sent.one("task") and parked.task.subject_id in ours:
                desk.installation.tasks.release(parked.task.key)

    return carry_out(desk, case, sent, command, form="release", done="released")


# What the steps share


def _on_request(
    desk: Desk,
    case: Case,
    right: Right,
    sent: Sent,
    command: Callable[[], None],
    *,
    form: str,
    done: str,
) -> Response:
    name = right.value
    return carry_out(
        desk, case, sent, command, form=f"{form}-{name}", done=done, place=f"request-{name}"
    )


def _by_hand(
    desk: Desk, case: Case, right: Right, system: str, sent: Sent, command: Callable[[], None]
) -> Response:
    return carry_out(
        desk,
        case,
        sent,
        command,
        form=f"by-hand-{right.value}-{system}",
        done="answered-by-hand",
        place=f"systems-{right.value}",
    )


def _planned(desk: Desk, request_id: UUID, system: str) -> Fulfilment:
    fulfilment = desk.installation.register.find_fulfilment(request_id)
    if fulfilment is None or system not in fulfilment.systems:
        raise NotHere
    return fulfilment


def _result(outcome: Outcome, record_id: str, sent: Sent) -> Result:
    """What became of one record; what was kept or refused says on which ground, and why."""
    if outcome not in {Outcome.KEPT, Outcome.REFUSED}:
        return Result(outcome)
    return Result(
        outcome,
        ground=sent.one(f"ground-{record_id}") or None,
        until=next(_days(sent.one(f"until-{record_id}")), None),
        words=sent.one(f"words-{record_id}"),
    )


def _answers(sent: Sent) -> dict[UUID, frozenset[str]]:
    answers: dict[UUID, frozenset[str]] = {}
    for one in sent.all("fact"):
        record_id, _, fact = one.partition(":")
        answers[id_in(record_id)] = answers.get(id_in(record_id), frozenset()) | {fact}
    return answers


def _found_rows(sent: Sent) -> Iterator[FoundRow]:
    """The rows in which something was written."""
    for number in range(1, ROWS + 1):
        key, description = sent.one(f"key-{number}"), sent.one(f"description-{number}")
        if not key and not description:
            continue
        days = {sent.one(f"anchor-{number}"): day for day in _days(sent.one(f"day-{number}"))}
        try:
            yield FoundRow(
                kind=sent.one(f"kind-{number}"),
                key=key,
                description=description,
                matched_by=one_of(IdentifierKind, sent.one(f"matched-{number}")),
                certain=sent.has(f"certain-{number}"),
                dates=days,
                flags=frozenset(sent.all(f"flag-{number}")),
                recipients=tuple(
                    name.strip()
                    for name in sent.one(f"recipients-{number}").split(",")
                    if name.strip()
                ),
            )
        except ValidationError:
            raise DomainError(
                f"row {number} is not complete: say which it is, what it says, and its sort"
            ) from None


def _days(text: str) -> Iterator[date]:
    if text:
        try:
            yield date.fromisoformat(text)
        except ValueError:
            raise DomainError("write the day as 2026-12-31") from None


def _treatments(desk: Desk, fulfilment: Fulfilment, system: str) -> Iterator[Treatment]:
    state = fulfilment.systems[system]
    records = {found.record_id: found for found in state.found}
    for decision in state.decisions:
        if decision.touches_the_system:
            sealed = desk.installation.vault.open(records[decision.record_id].content)
            record = dossier.RECORD.validate_json(sealed).record
            yield Treatment(
                key=record.key,
                kind=record.kind,
                anonymise=decision.decision is Decision.ANONYMISE,
                keep_fields=decision.keep_fields,
            )
