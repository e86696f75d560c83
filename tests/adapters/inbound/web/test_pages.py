"""What holds for every page: who may see it, what it shows, and that looking changes nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from uuid import UUID

import pytest
from eventsourcing.persistence import OperationalError
from fastapi.testclient import TestClient

from adapters.inbound.web.look import TEXTS, Look, language_accepted, plain
from adapters.inbound.web.outbox import parts
from adapters.inbound.web.pages import environment
from domain.belonging import KINDS as OF_CASES
from domain.fulfilment import SystemStatus
from domain.request import RefusalGround, Status
from domain.vocabulary import (
    Action,
    Channel,
    Content,
    Decision,
    Door,
    IdentifierKind,
    IdentityMethod,
    Language,
    LetterKind,
    Match,
    Outcome,
    Purpose,
    ReceiptSource,
    TriageKind,
    Unidentified,
)
from projections.work import TURN_OF, TURNS
from services.ports import Task
from services.wording import wording
from services.worker import KINDS
from tests.support.house import KARI, NORWAY, SWEDEN, House
from tests.support.steps import asked_for_access, confirm, press, reveal

HOSTILE = (
    "</pre><script>alert(1)</script><img src=x onerror=alert(2)> {{ 7*7 }} <b>innsyn</b>\n"
    "nedarving \u202egnp.txt\u2066 usynlig\u200btegn"
)

TOPICS = Path(__file__).parents[3].joinpath("domain/topics.txt").read_text("utf-8").split()


# Who may see it


def test_nobody_sees_the_desk_without_a_token(house: House) -> None:
    case_id = house.receive("Jeg ber om innsyn.")
    stranger = house.visitor()
    for address in ("/desk", f"/desk/cases/{case_id}", "/outbox"):
        answer = stranger.get(address, follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/desk/sign-in?next=")
    failed = stranger.post("/desk/sign-in", data={"token": "trt_guessed"})
    assert failed.status_code == 401
    assert "trt_guessed" not in failed.text


def test_the_session_is_a_cookie_that_scripts_and_other_sites_cannot_use(house: House) -> None:
    browser = house.visitor()
    answer = browser.post("/desk/sign-in", data={"token": house.token()}, follow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    browser.post("/desk/sign-out")
    assert browser.get("/desk", follow_redirects=False).status_code == 303


@pytest.mark.parametrize("next_page", ["//evil.example", "https://evil.example", "/desk/cases/\\x"])
def test_signing_in_leads_nowhere_outside_the_desk(house: House, next_page: str) -> None:
    answer = house.visitor().post(
        "/desk/sign-in",
        data={"token": house.token(), "next": next_page},
        follow_redirects=False,
    )
    assert answer.headers["location"] == "/desk"


def test_another_controllers_case_is_not_there(house: House) -> None:
    """Every page and button of a case answers to a stranger as if there were no such case."""
    case_id, request_id = asked_for_access(house)
    house.work()
    other = house.staff(SWEDEN, staff="pia")
    nobodys = "11111111-1111-5111-8111-111111111111"
    case = house.case(case_id)
    assert case.reference not in other.get("/desk").text
    assert other.post("/desk/search", data={"q": case.reference}).url.path == "/desk/search"
    for path in ("", f"/requests/{request_id}/systems/web/list.csv"):
        here = other.get(f"/desk/cases/{case_id}{path}")
        nowhere = other.get(f"/desk/cases/{nobodys}{path}")
        assert here.status_code == nowhere.status_code == 404
        assert here.text == nowhere.text
    for path in buttons(case_id, request_id, next(iter(case.letters))):
        answer = other.post(f"/desk/cases/{case_id}{path}", data={"purpose": "handle"})
        assert answer.status_code == 404, path
    assert house.mails()
    reveal(other, "/outbox")
    assert KARI not in other.get("/outbox").text


def test_the_work_list_says_which_system_does_not_answer(house: House) -> None:
    case_id = house.receive("Jeg ber om innsyn.")
    house.installation.tasks.database.run(
        house.installation.tasks.add(
            Task("find it", "find", case_id, datetime.now(UTC), NORWAY, "mailing")
        )
    )
    (task,) = house.installation.tasks.claim(["find"], worker="test", lease_seconds=30)
    for _ in range(4):
        house.installation.tasks.unavailable(task, seconds=1, reason="GET /lists answered 503")
    desk, other = house.staff(), house.staff(SWEDEN, staff="pia")
    assert 'class="note silent"' not in desk.get("/desk").text  # it stumbles, and may answer yet

    house.installation.tasks.unavailable(task, seconds=1, reason="GET /lists answered 503")

    assert 'class="note silent"' not in other.get("/desk").text
    for language in Language:
        desk.headers["Accept-Language"] = language.value
        shown, say = desk.get("/desk").text, Look(language).say
        (line,) = re.findall(r'<p class="note silent">(.*?)</p>', shown)
        name = house.installation.controllers.in_force(NORWAY).system("mailing").name
        said = say("worklist.silent", system=name, controller="Fjordscenen", since="|")
        assert line.startswith(said.partition("|")[0])
        assert say("worklist.held_up.one") in line
        assert "?controller=fjordscenen&amp;system=mailing" in line


def test_a_form_that_another_site_sends_is_refused(house: House) -> None:
    case_id, request_id = asked_for_access(house)
    desk = house.staff()
    before = house.events()
    letter = next(iter(house.case(case_id).letters))
    for path in buttons(case_id, request_id, letter):
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            answer = desk.post(f"/desk/cases/{case_id}{path}", headers=headers)
            assert answer.status_code == 403, (path, headers)
    del desk.headers["Origin"]
    assert desk.post(f"/desk/cases/{case_id}/purpose").status_code == 403
    assert house.events() == before


def buttons(case_id: UUID, request_id: UUID, letter_id: UUID) -> list[str]:
    record = "22222222-2222-5222-8222-222222222222"
    asked = f"/requests/{request_id}"
    steps = [f"{asked}/systems/web/{verb}" for verb in ("again", "found", "erased", "done")]
    return [
        *("/purpose", "/confirm", "/set-aside", "/identity/ask", "/identity/code"),
        *("/identity/verified", f"{asked}/records/{record}/match", f"{asked}/preview"),
        *(f"{asked}/approve", *steps),
        *(f"/letters/{letter_id}/posted", f"/letters/{letter_id}/again"),
    ]


# What it shows


def test_personal_data_is_read_for_a_purpose_and_each_look_is_an_event(house: House) -> None:
    """AK-25, OK-15, MU-22: who needs it, for what, and a trace of it; the trace holds ids only."""
    case_id, _ = asked_for_access(house)
    before = house.installation.looking.at_case(case_id)
    desk = house.staff(staff="ida")
    case = f"/desk/cases/{case_id}"
    assert KARI not in desk.get(case).text
    assert desk.post(f"{case}/purpose", data={"purpose": "curiosity"}).status_code == 422
    assert house.installation.looking.at_case(case_id) == before

    reveal(desk, case)
    looked = house.events()
    assert KARI in desk.get(case).text

    (look, *earlier) = house.installation.looking.at_case(case_id)
    assert (look.staff_id, look.purpose, look.way) == ("ida", Purpose.HANDLE, Door.DESK)
    assert Content.PERSON in look.what
    assert tuple(earlier) == before
    assert house.events() == looked  # the page that is loaded again is the same look

    other = house.receive("Jeg ber om innsyn igjen.")
    assert KARI not in desk.get(f"/desk/cases/{other}").text


def test_what_cannot_be_put_on_record_is_not_shown(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = house.receive("Jeg ber om innsyn i det dere har om meg.")
    desk = house.staff(staff="ida")
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    assert "innsyn i det dere" in desk.get(case).text

    def lost(*_: object, **__: object) -> None:
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(house.installation.register, "save_all", lost)
    monkeypatch.setattr(
        house.installation.looking, "_clock", lambda: datetime.now(UTC) + timedelta(days=1)
    )
    page = desk.get(case)

    assert page.status_code == 503
    assert "innsyn i det dere" not in page.text


def test_a_purpose_is_bound_to_case_and_person(house: House) -> None:
    first, second = house.receive("Innsyn, takk."), house.receive("Sletting, takk.")
    desk, colleague = house.staff(staff="ida"), house.staff(staff="per")
    reveal(desk, f"/desk/cases/{first}")
    taken = next(one for one in desk.cookies.jar if one.name == "trettio-purpose")
    assert taken.path == f"/desk/cases/{first}"
    for browser, case_id in ((desk, second), (colleague, first)):
        page = browser.get(
            f"/desk/cases/{case_id}",
            headers={"Cookie": f"{cookies(browser)}; trettio-purpose={taken.value}"},
        )
        assert page.status_code == 200
        assert KARI not in page.text


def cookies(browser: TestClient) -> str:
    return "; ".join(f"{c.name}={c.value}" for c in browser.cookies.jar if c.path == "/")


def test_a_hostile_message_is_text_and_nothing_else(house: House) -> None:
    case_id = house.receive(HOSTILE, subject="<script>x</script>\u202e", name='"><svg onload=x>')
    desk = house.staff()
    reveal(desk, f"/desk/cases/{case_id}")
    page = desk.get(f"/desk/cases/{case_id}")
    assert "<script>" not in page.text
    assert "<svg" not in page.text
    assert "<img" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert "{{ 7*7 }}" in page.text
    assert not set("\u202e\u2066\u200b") & set(page.text)
    assert "[U+202E]gnp.txt[U+2066]" in page.text
    policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    seen = Seen()
    seen.feed(page.text)
    assert not seen.tags & {"img", "svg", "b", "style", "iframe"}
    assert seen.scripts
    assert all(source.startswith("/static/") for source in seen.scripts)
    assert not {name for name in seen.attributes if name == "style" or name.startswith("on")}


class Seen(HTMLParser):
    """The tags and attributes of a page, as a browser would read them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.scripts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "script":
            self.scripts.append(dict(attrs).get("src") or "")
        self.attributes |= {name for name, _ in attrs}


def test_a_code_on_its_way_to_the_person_is_not_shown_at_the_desk(house: House) -> None:
    """Whoever could read it there could prove to be somebody else (Art. 12(6))."""
    case_id = house.receive("Jeg ber om innsyn i det dere har om meg.")
    desk = house.staff()
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    confirm(desk, case, "access")
    press(desk, f"{case}/identity/ask", reason="unknown-sender")
    house.work()
    assert house.newest_code() not in desk.get(case).text


def test_what_was_typed_stays_when_a_form_fails(house: House) -> None:
    case_id = house.receive("Jeg ber om innsyn.")
    desk = house.staff()
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    answer = desk.post(
        f"{case}/confirm",
        data={"language": "sv", "kind": ["phone"], "value": ["+47 22 99 99 99"]},
    )
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "kryss av minst én rettighet" in answer.text
    assert 'value="+47 22 99 99 99"' in answer.text
    assert '<option value="sv" selected>' in answer.text


def test_a_case_is_found_by_its_number_however_it_is_typed(house: House) -> None:
    case_id = house.receive("Jeg ber om innsyn.")
    number = house.case(case_id).reference
    desk = house.staff()
    for typed in (number, number.lower().replace("-", " "), number.replace("0", "O")):
        answer = desk.post("/desk/search", data={"q": typed})
        assert answer.url.path == f"/desk/cases/{case_id}"


def test_links_to_the_persons_pages_work_from_the_outbox_and_no_others() -> None:
    text = "Se http://127.0.0.1:8030/prove/a-B_9.\nIkke http://evil.example/x <b>"
    assert parts(text) == [
        ("Se ", None),
        ("http://127.0.0.1:8030/prove/a-B_9", "/prove/a-B_9"),
        (".\nIkke http://evil.example/x <b>", None),
    ]


# Looking changes nothing


def test_no_page_changes_anything_by_being_looked_at(house: House) -> None:
    """E-16: mail scanners open every link, and more than once."""
    case_id = house.receive("Jeg ber om innsyn i det dere har om meg.")
    desk, person = house.staff(), house.visitor()
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    reveal(desk, "/outbox")
    confirm(desk, case, "access")
    press(desk, f"{case}/identity/ask", reason="unknown-sender")
    house.work()
    prove = house.link("prove")
    code = house.newest_code()
    pages = ["/desk", "/desk/inbox", "/desk/cases", "/desk/search", case, "/outbox"]
    pages.append("/desk/sign-in")
    before, mails = house.events(), len(house.mails())
    for address in [*pages, prove, f"{prove}?done=1"] * 2:
        assert desk.get(address).status_code == 200
        assert person.head(address).status_code in {200, 303, 405}
    house.work()
    assert (house.events(), len(house.mails())) == (before, mails)

    press(person, prove, code=code)
    (request_id,) = house.case(case_id).request_ids
    assert house.installation.register.request(request_id).status is Status.VERIFIED


# The person's pages


def test_a_link_that_ended_and_one_that_never_was_look_alike(house: House) -> None:
    person = house.visitor()
    for kind in ("answer", "prove"):
        pages = [
            person.get(f"/{kind}/{secret}", headers={"Accept-Language": "nb"})
            for secret in ("A" * 43, "B" * 43, "x")
        ]
        assert {page.status_code for page in pages} == {404}
        assert len({page.text for page in pages}) == 1
        assert "Denne lenken virker ikke" in pages[0].text
        for secret in ("A" * 43, "x"):
            assert person.post(f"/{kind}/{secret}", data={"code": "1"}).status_code == 404


def test_proving_looks_the_same_whether_anything_is_known_or_not(house: House) -> None:
    """Art. 12(6): neither bytes nor status tell whether the controller knows anybody."""
    house.systems.system(NORWAY, "ticketing").hold(KARI, "order", "o1")
    pages: list[list[tuple[int, str]]] = []
    for words in ("Jeg ber om innsyn.", "Jeg ber om innsyn, nok en gang."):
        case_id = house.receive(words)
        desk = house.staff()
        case = f"/desk/cases/{case_id}"
        reveal(desk, case)
        confirm(desk, case, "access", address=KARI if not pages else "ukjent@annen.example")
        press(desk, f"{case}/identity/ask", reason="unknown-sender")
        house.work()
        link, person = house.link("prove"), house.visitor()
        shown = [person.get(link), person.post(link, data={"code": "1"})]
        right = person.post(link, data={"code": house.newest_code()})
        number = house.case(case_id).reference
        pages.append(
            [
                (one.status_code, one.text.replace(link, "LINK").replace(number, "NUMBER"))
                for one in (*shown, right)
            ]
        )
    assert pages[0] == pages[1]
    assert "Takk" in pages[0][2][1]


def test_five_wrong_codes_use_a_code_up_and_the_page_says_so(house: House) -> None:
    case_id = house.receive("Jeg ber om innsyn i det dere har om meg.")
    desk, person = house.staff(), house.visitor()
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    confirm(desk, case, "access")
    press(desk, f"{case}/identity/ask", reason="unknown-sender")
    house.work()
    link, code = house.link("prove"), house.newest_code()
    answers = [person.post(link, data={"code": "1"}) for _ in range(5)]
    assert "stemmer ikke" in answers[0].text
    assert "kan ikke brukes lenger" in answers[-1].text
    assert "kan ikke brukes lenger" in person.post(link, data={"code": code}).text


def test_a_form_without_a_length_or_of_a_silly_size_is_not_read(house: House) -> None:
    person = house.visitor()
    assert person.post("/prove/x", content=iter([b"code=1"])).status_code in {404, 411}
    huge = person.post("/desk/sign-in", data={"token": "x" * 2_000_000})
    assert huge.status_code == 413


def test_another_language_keeps_what_the_page_was_narrowed_down_to(house: House) -> None:
    where = {"next": "/desk/inbox", "lang": "en"}
    page = house.visitor().get("/desk/sign-in", params=where).text
    assert 'href="?next=%2Fdesk%2Finbox&amp;lang=sv"' in page
    evil = house.visitor().get("/desk/sign-in", params={"x": '"><script>alert(1)'}).text
    assert "<script>alert" not in evil


# Words


def texts(language: Language) -> Mapping[str, str]:
    return wording(TEXTS, language).texts


@pytest.mark.parametrize("language", [Language.NB, Language.NN, Language.SV])
def test_every_language_says_the_same_things(language: Language) -> None:
    english, other = texts(Language.EN), texts(language)
    assert list(other) == list(english)
    for key, words in english.items():
        assert other[key].strip(), key
        braces = re.compile(r"\{\w+\}")
        assert sorted(braces.findall(other[key])) == sorted(braces.findall(words)), key


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        ("status", [one.value for one in Status]),
        ("kind", [one.value for one in TriageKind]),
        ("channel", [one.value for one in Channel]),
        ("source", [one.value for one in ReceiptSource]),
        ("method", [one.value for one in IdentityMethod]),
        ("identifier", [one.value for one in IdentifierKind]),
        ("match", [one.value for one in Match]),
        ("system_status", [one.value for one in SystemStatus]),
        ("action", [one.value for one in Action]),
        ("outcome", [one.value for one in Outcome]),
        ("decided", [one.value for one in Decision]),
        ("letter_kind", [one.value for one in LetterKind]),
        ("refusal", [one.value for one in RefusalGround]),
        ("unidentified", [one.value for one in Unidentified]),
        ("task", list(KINDS)),
        ("failure", ["answer-not-fetched", "bounced"]),
        ("block", list(TURN_OF)),
        ("turn", list(TURNS)),
        ("topic", [topic for topic in TOPICS if topic.split(".")[0] in OF_CASES and "." in topic]),
    ],
)
def test_every_code_has_a_word(table: str, codes: list[str]) -> None:
    known = texts(Language.EN)
    assert [code for code in codes if f"{table}.{code}" not in known] == []


def test_every_text_a_template_names_is_there() -> None:
    known = texts(Language.EN)
    source = "\n".join(
        environment().loader.get_source(environment(), name)[0]  # type: ignore[union-attr]
        for name in environment().list_templates()
    )
    named = set(re.findall(r'look\.say\("([\w.-]+)"[,)]', source))
    assert named
    assert {name for name in named if name not in known} == set()


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("nb-NO,nb;q=0.9,en;q=0.8", Language.NB),
        ("no", Language.NB),
        ("nn", Language.NN),
        ("de, sv;q=0.7, en;q=0.3", Language.SV),
        ("en;q=0.1, sv;q=0.2", Language.SV),
        ("sv;q=0", None),
        ("de", None),
        (",;q=x,,", None),
        ("", None),
    ],
)
def test_the_browsers_wish_is_read(header: str, language: Language | None) -> None:
    assert language_accepted(header) is language


def test_the_desk_keeps_the_language_that_was_chosen(house: House) -> None:
    desk = house.staff()
    assert 'lang="sv"' in desk.get("/desk?lang=sv").text
    assert "Arbetslista" in desk.get("/desk").text
    assert "Arbetslista" in desk.get("/desk?lang=xx").text


def test_days_are_said_in_words() -> None:
    look = Look(Language.EN)
    assert [look.left(days) for days in (-2, -1, 0, 1, 9)] == [
        "2 days late",
        "1 day late",
        "due today",
        "1 day left",
        "9 days left",
    ]
    assert [look.urgency(days) for days in (-1, 0, 5, 6)] == ["late", "soon", "soon", "calm"]


def test_nothing_stays_hidden_in_text_from_outside() -> None:
    assert plain("a\u202eb\x00c\u2028d\te\n") == "a[U+202E]b[U+0000]c\nd\te\n"
