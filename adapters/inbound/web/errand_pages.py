"""`/answer-for/{secret}` and `/errands`: who answers for a system or as an organiser, by a link.

The link shows nothing; a code to the registered address opens what its holder is asked, one by one
or several at once. Looking changes nothing, because mail scanners open every link; a link that
ended and one that never was look alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from adapters.inbound.web.errand_files import file_read
from adapters.inbound.web.folder_steps import Upload, upload
from adapters.inbound.web.look import Look, language_named
from adapters.inbound.web.pages import (
    LANGUAGE_COOKIE,
    NOTHING_SENT,
    Ended,
    Form,
    PageRoute,
    Sent,
    go,
    installation_of,
    look_for,
    one_of,
    page,
)
from adapters.inbound.web.session import OurForm, is_secure
from adapters.inbound.web.trouble import NO_TROUBLE, Trouble, trouble_of
from domain.errand import Errand, holder_name
from domain.errors import DomainError
from domain.grounds import LEGAL_CLAIM, grounds, is_allowed
from domain.policy import Profile
from domain.vocabulary import Action, IdentifierKind, Outcome
from services.errand_answers import NOTHING_REASONS, matched_by
from services.errand_door import OPEN_FOR
from services.errand_mails import called, line_name
from services.errand_questions import Question
from services.ports import CodeCheck, Person, Record, Result
from services.wording import in_language, short

COOKIE = "trettio-errands"
DEEDS = (Outcome.ERASED, Outcome.ANONYMISED, Outcome.NOT_FOUND, Outcome.KEPT)
LONGEST = 5_000

router = APIRouter(route_class=PageRoute, include_in_schema=False)


# The way in


@router.get("/answer-for/{secret}")
def show(request: Request, secret: str, sent: str = "") -> Response:
    return _door(request, secret, _behind(request, secret), code_sent=bool(sent))


@router.post("/answer-for/{secret}/code", dependencies=[OurForm])
def send_code(request: Request, secret: str) -> Response:
    installation_of(request).errand_door.send_code(_behind(request, secret))
    return go(f"/answer-for/{secret}?sent=1")


@router.post("/answer-for/{secret}", dependencies=[OurForm])
def open_(request: Request, secret: str, form: Form) -> Response:
    """A right code opens everything that this holder is asked, for an hour, in this browser."""
    errand, installation = _behind(request, secret), installation_of(request)
    check, opened = installation.errand_door.open(errand.id, form.one("code"))
    if check is not CodeCheck.RIGHT:
        return _door(request, secret, errand, code_sent=True, wrong=check)
    response = go(f"/errands/{errand.id}")
    response.set_cookie(
        COOKIE,
        opened,
        max_age=int(OPEN_FOR.total_seconds()),
        path="/errands",
        secure=is_secure(installation),
        httponly=True,
        samesite="lax",  # a link in a mail leads here, and a strict cookie would stay at home
    )
    return response


def _behind(request: Request, secret: str) -> Errand:
    found = installation_of(request).errand_door.behind(secret)
    if found is None:
        raise Ended
    return found


def _door(
    request: Request,
    secret: str,
    errand: Errand,
    *,
    code_sent: bool,
    wrong: CodeCheck | None = None,
) -> Response:
    profile = _profile(request, errand)
    return page(
        "errand_door.html",
        _look(request, errand, profile),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        profile=profile,
        name=called(profile),
        secret=secret,
        line=line_name(profile, errand.system),
        due=errand.ends_on,
        code_sent=code_sent,
        wrong=wrong,
    )


# What is asked


@router.get("/errands")
def all_of_mine(request: Request, done: str = "") -> Response:
    return _list(request, _holder(request), done=bool(done))


@router.get("/errands/{errand_id}")
def one_of_mine(request: Request, errand_id: UUID) -> Response:
    errand = _mine(request, errand_id)
    question = installation_of(request).errand_questions.of(errand)
    if question is None:
        return _list(request, errand.holder)
    return _page(request, question)


@router.post("/errands/close", dependencies=[OurForm])
def close(request: Request) -> Response:
    """Whoever uses somebody else's machine closes the page behind them."""
    installation_of(request).errand_door.close(_holder(request))
    response = go("/errands")
    response.delete_cookie(COOKIE, path="/errands")
    return response


# Answers


@router.post("/errands/all", dependencies=[OurForm])
def several(request: Request, sent: Form) -> Response:
    """The same answer to several questions of one kind."""
    holder = _holder(request)
    try:
        _answer_several(request, sent)
    except DomainError as error:
        return _list(request, holder, sent=sent, trouble=trouble_of(error))
    return go("/errands?done=1")


def _answer_several(request: Request, sent: Sent) -> None:
    answers, chosen = installation_of(request).errand_answers, sent.all("errand")
    if not chosen:
        raise DomainError("choose at least one", key="choose-one")
    for errand_id in chosen:
        errand = _mine(request, _id(errand_id))
        if sent.one("how") == "nothing":
            answers.nothing_held(errand.id, reason=sent.one("reason"))
        elif errand.action is Action.ERASE:
            answers.all_erased(errand.id, looked_again=sent.has("looked"))
        else:
            answers.done(errand.id)


@router.post("/errands/{errand_id}/found", dependencies=[OurForm])
def found(
    request: Request, errand_id: UUID, uploaded: Annotated[Upload, Depends(upload)]
) -> Response:
    """What was found: in words, or as a file."""
    sent, installation = uploaded.sent, installation_of(request)

    def answer(question: Question) -> None:
        kinds = _kinds(question)
        kind = sent.one("kind") if sent.one("kind") in kinds else next(iter(kinds), "other")
        person = Person(question.identifiers)
        records: list[Record] = []
        document = None
        if uploaded.document is not None:
            read = file_read(
                uploaded.document, kind=kind, person=person, scanner=installation.scanner
            )
            records, document = list(read.records), read.document
        words = sent.one("words")[:LONGEST]
        if document is not None and not words:
            raise DomainError("say in a few words what the document is", key="words-for-document")
        if words:
            records.append(_in_words(question, kind, words, sent.one("matched")))
        installation.errand_answers.found(errand_id, records, document=document)

    return _answered(request, errand_id, sent, "found", answer)


@router.post("/errands/{errand_id}/nothing", dependencies=[OurForm])
def nothing(request: Request, errand_id: UUID, sent: Form) -> Response:
    answers = installation_of(request).errand_answers
    return _answered(
        request,
        errand_id,
        sent,
        "nothing",
        lambda _: answers.nothing_held(errand_id, reason=sent.one("reason")),
    )


@router.post("/errands/{errand_id}/erased", dependencies=[OurForm])
def erased(request: Request, errand_id: UUID, sent: Form) -> Response:
    answers = installation_of(request).errand_answers

    def answer(question: Question) -> None:
        results = {line.record_id: _result(line.record_id, sent) for line in question.lines}
        answers.erased(errand_id, results, looked_again=sent.has("looked"))

    return _answered(request, errand_id, sent, "erased", answer)


@router.post("/errands/{errand_id}/done", dependencies=[OurForm])
def done(request: Request, errand_id: UUID, sent: Form) -> Response:
    answers = installation_of(request).errand_answers
    return _answered(request, errand_id, sent, "done", lambda _: answers.done(errand_id))


@router.post("/errands/{errand_id}/kept", dependencies=[OurForm])
def kept(request: Request, errand_id: UUID, sent: Form) -> Response:
    answers = installation_of(request).errand_answers

    def answer(_: Question) -> None:
        answers.kept(
            errand_id,
            ground=sent.one("ground"),
            until=_day(sent.one("until")),
            words=sent.one("words")[:LONGEST],
        )

    return _answered(request, errand_id, sent, "kept", answer)


@router.post("/errands/{errand_id}/not-me", dependencies=[OurForm])
def not_me(request: Request, errand_id: UUID, sent: Form) -> Response:
    answers = installation_of(request).errand_answers
    return _answered(
        request, errand_id, sent, "not-me", lambda _: answers.disown(errand_id, sent.one("who"))
    )


# What the steps share


def _answered(
    request: Request,
    errand_id: UUID,
    sent: Sent,
    form: str,
    answer: Callable[[Question], None],
) -> Response:
    errand = _mine(request, errand_id)
    question = installation_of(request).errand_questions.of(errand)
    if question is None:
        return _list(request, errand.holder)
    try:
        answer(question)
    except DomainError as error:
        fresh = installation_of(request).register.errand(errand_id)
        if not fresh.is_open:
            return _list(request, errand.holder, trouble=trouble_of(error))
        return _page(request, question, form=form, sent=sent, trouble=trouble_of(error))
    return go("/errands?done=1")


def _page(
    request: Request,
    question: Question,
    *,
    form: str = "",
    sent: Sent = NOTHING_SENT,
    trouble: Trouble = NO_TROUBLE,
) -> Response:
    errand, profile = question.errand, question.profile
    look = _look(request, errand, profile)
    system = next((one for one in profile.systems if one.id == errand.system), None)
    others = installation_of(request).errand_door.open_of(errand.holder)
    return page(
        "errand.html",
        look,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if trouble else HTTPStatus.OK,
        profile=profile,
        name=called(profile),
        line=line_name(profile, errand.system),
        errand=errand,
        question=question,
        look_for=in_language(system.look_for, look.language, profile) if system is not None else "",
        kinds={
            kind: short(in_language(profile.category(name).name, look.language, profile))
            for kind, name in _kinds(question).items()
        },
        others=len(others) - 1,
        reasons=NOTHING_REASONS,
        deeds=DEEDS,
        grounds=[
            one for one in grounds() if one.code != LEGAL_CLAIM and is_allowed(one.code, profile)
        ],
        form=form,
        sent=sent,
        trouble=trouble.said(look)[0] if trouble else "",
    )


def _list(
    request: Request,
    holder: UUID,
    *,
    done: bool = False,
    sent: Sent = NOTHING_SENT,
    trouble: Trouble = NO_TROUBLE,
) -> Response:
    """Everything that waits for one holder, by what is to be done."""
    installation = installation_of(request)
    found = map(installation.errand_questions.of, installation.errand_door.open_of(holder))
    questions = [one for one in found if one is not None]
    profile = questions[0].profile if questions else None
    look = _look(request, questions[0].errand if questions else None, profile)
    groups = {
        action: [one for one in questions if one.errand.action is action] for action in Action
    }
    return page(
        "errands.html",
        look,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if trouble else HTTPStatus.OK,
        profile=profile,
        name=called(profile) if profile is not None else "Trettio",
        groups={action: some for action, some in groups.items() if some},
        called=lambda one: line_name(one.profile, one.errand.system),
        reasons=NOTHING_REASONS,
        done=done,
        sent=sent,
        trouble=trouble.said(look)[0] if trouble else "",
    )


def _holder(request: Request) -> UUID:
    found = installation_of(request).errand_door.holder(request.cookies.get(COOKIE, ""))
    if found is None:
        raise Ended
    return found


def _mine(request: Request, errand_id: UUID) -> Errand:
    """One of the holder's own; anybody else's is not there, and neither is what has ended."""
    holder = _holder(request)
    errand = installation_of(request).register.find_errand(errand_id)
    if errand is None or errand.holder != holder:
        raise Ended
    return errand


def _profile(request: Request, errand: Errand) -> Profile:
    return installation_of(request).controllers.in_force(errand.controller)


def _look(request: Request, errand: Errand | None, profile: Profile | None) -> Look:
    """The reader's choice, else the language that the profile registers for the address."""
    if errand is None or profile is None:
        return look_for(request)
    look = look_for(request, profile)
    if language_named(request.query_params.get("lang")) or request.cookies.get(LANGUAGE_COOKIE):
        return look
    contact = installation_of(request).errands.contact_of(errand)
    return replace(look, language=contact.language) if contact is not None else look


def _kinds(question: Question) -> dict[str, str]:
    """The sorts of record that the system has, each with its category."""
    system = next((s for s in question.profile.systems if s.id == question.errand.system), None)
    return {one.kind: one.category for one in system.holdings} if system is not None else {}


def _in_words(question: Question, kind: str, words: str, matched: str) -> Record:
    known = {one.kind for one in question.identifiers}
    by = one_of(IdentifierKind, matched) if matched else IdentifierKind.EMAIL
    if by not in known:
        by = IdentifierKind.NAME
    return Record(
        key=holder_name(question.errand.holder),
        kind=kind,
        match=matched_by(question.identifiers, by),
        matched_by=by,
        fields={"description": words},
    )


def _result(record_id: UUID, sent: Sent) -> Result:
    outcome = one_of(Outcome, sent.one(f"deed-{record_id}"))
    if outcome not in DEEDS:
        raise DomainError("choose one of the answers in the list", key="choose-in-list")
    if outcome is not Outcome.KEPT:
        return Result(outcome)
    return Result(
        outcome,
        ground=sent.one(f"ground-{record_id}") or None,
        until=_day(sent.one(f"until-{record_id}")),
        words=sent.one(f"words-{record_id}")[:LONGEST],
    )


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DomainError("write the day as 2026-12-31", key="day-form") from None


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Ended from None
