"""Letters on the desk: written in full sight, taken back, misdirected, put right; plain forms."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from domain.request import RefusalGround, Status
from domain.vocabulary import Language, LetterKind, Right
from tests.support.asking import approved, asked, collected, confirmed
from tests.support.browser import chromium, served
from tests.support.forms import Browser
from tests.support.house import House
from tests.support.steps import press, reveal
from tests.support.web import web

LANGUAGES = tuple(language.value for language in Language)


def letter_of(house: House, case_id: UUID, kind: LetterKind) -> UUID:
    case = house.case(case_id)
    return next(one.id for one in case.letters.values() if one.kind is kind)


def test_a_letter_is_looked_at_printed_and_previewed_at_the_desk(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    (letter_id,) = house.case(case_id).letters
    desk = house.staff()
    case = f"/desk/cases/{case_id}"
    hidden = desk.get(f"{case}/letters/{letter_id}/letter.pdf", follow_redirects=False)
    assert hidden.status_code == 303  # first say what for
    assert desk.get(f"{case}/letters/write", follow_redirects=False).status_code == 303
    reveal(desk, case)

    assert f"{case}/letters/write" in desk.get(case).text
    assert desk.get(f"{case}/letters/{letter_id}/letter.pdf").content.startswith(b"%PDF-")
    seen = desk.get(f"{case}/letters/{letter_id}").text
    assert house.mails()[0].subject in seen
    asked_for = {"kind": "clarification", "question": "Gjelder det <b>alt</b>?"}
    shown = desk.post(f"{case}/letters/preview", data=asked_for)
    assert shown.status_code == 200
    assert "&lt;b&gt;alt&lt;/b&gt;" in shown.text
    pdf = desk.post(f"{case}/letters/preview", data={**asked_for, "pdf": "1"})
    assert pdf.content[:5] == b"%PDF-"
    lacking = desk.post(f"{case}/letters/preview", data={"kind": "fee-announced"})
    assert lacking.status_code == 422
    assert "must say" in lacking.text


def test_every_letter_shows_all_its_blocks_with_its_fields_in_place(house: House) -> None:
    case_id = collected(house, Right.ACCESS)
    desk = house.staff()
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    for kind in LetterKind:
        page = desk.get(f"{case}/letters/write", params={"kind": kind.value})
        assert page.status_code == 200, kind
        assert page.text.count('class="main"') <= 1
        assert len(page.content) < 60_000
    for language in LANGUAGES:
        text = desk.get(f"{case}/letters/write", params={"kind": "refusal", "lang": language}).text
        main = text.split("<main", 1)[1]
        assert main.index('name="why"') < main.index('name="proof"'), "what is kept comes after"
        assert "Personopplysningslov" in main or "Art. " in main


def test_the_preview_follows_the_typing_and_says_what_is_hard_to_read(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    desk = house.staff()
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    before = house.events()
    sent = {"kind": "message", "free_text": "Vi ringer deg 3. mars 2027. Nummeret er 010190 12345."}
    part = desk.post(f"{case}/letters/preview", data=sent, headers={"HX-Request": "true"})

    assert part.status_code == 200
    assert "<html" not in part.text
    assert "Vi ringer deg" in part.text
    assert part.text.count('class="note"') == 2, "a date without its day, and a number"
    empty = desk.post(
        f"{case}/letters/preview", data={"kind": "message"}, headers={"HX-Request": "true"}
    )
    assert empty.status_code == 200
    assert "Brevet mangler: Fra saksbehandleren." in empty.text
    assert "…" in empty.text, "the letter with a gap where something is missing"
    assert house.events() == before, "to look while writing changes nothing"


def test_a_message_is_written_as_the_page_stands_and_reaches_the_person(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    desk = house.staff()
    browser = Browser(desk)
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    browser.open(f"{case}/letters/write")

    page = browser.press("/letters/send", free_text="Vi ringer deg i morgen.")

    assert "/recall" in page, "it can be taken back until it leaves"
    house.work()
    assert "Vi ringer deg i morgen." in house.mails()[-1].text
    letter_id = letter_of(house, case_id, LetterKind.MESSAGE)
    corrects = browser.open(f"{case}/letters/write?kind=message&corrects={letter_id}")
    assert "Dette retter det vi skrev" in corrects
    nothing = browser.http.post(f"{case}/letters/send", data={"kind": "message"})
    assert nothing.status_code == 422
    assert 'aria-describedby="error"' in nothing.text


def test_the_answer_is_seen_from_where_it_is_decided_and_sent_with_what_was_chosen(
    house: House,
) -> None:
    case_id = collected(house, Right.ACCESS, Right.ERASURE)
    desk = house.staff()
    browser = Browser(desk)
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    browser.open(case)
    chosen = {"kind": "answer", "right": "access", "words": "Ring gjerne.", "full_cards": "1"}
    page = browser.http.post(f"{case}/letters/preview", data=chosen)

    assert page.status_code == 200
    assert page.text.count("Ring gjerne.") == 2, "in its field and in the letter"
    assert 'name="full_cards" value="1"' in page.text
    assert page.text.count('class="main"') == 1
    erasure = browser.http.post(
        f"{case}/letters/preview", data={"kind": "answer", "right": "erasure", "words": ""}
    )
    assert 'class="main"' not in erasure.text, "an erasure is decided with its records in sight"
    assert f"{case}#request-erasure" in erasure.text


def test_each_letter_that_a_handler_sends_is_sent_from_the_page(house: House) -> None:
    case_id = collected(house, Right.ACCESS, Right.ERASURE)
    desk = house.staff()
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    send = f"{case}/letters/send"
    press(desk, send, kind="clarification", right="access", question="Alt?")
    press(
        desk,
        send,
        kind="extension",
        right="access",
        reason=["volume", "several-requests"],
        why="Tre arkiver.",
    )
    press(desk, send, kind="answer", right="access", free_text="Ring gjerne.")
    house.work()
    reasons = house.installation.refusing.reasons(asked(house, case_id, Right.ERASURE))
    two = next(one for one in reasons if one.ground.needs_two_people)
    page = press(
        desk,
        send,
        kind="refusal",
        right="erasure",
        ground=f"{two.ground.value}:{two.code}",
        why="Samme krav hver dag.",
        proof="Tolv krav på to uker.",
    )
    house.work()

    kinds = [mail.kind for mail in house.mails()]
    assert {LetterKind.CLARIFICATION, LetterKind.EXTENSION, LetterKind.ANSWER} <= set(kinds)
    answer = next(mail for mail in house.mails() if mail.kind is LetterKind.ANSWER)
    assert "Ring gjerne." in answer.text
    assert asked(house, case_id, Right.ERASURE).refusal is None
    assert "/refusal/confirm" not in page, "who proposed it does not confirm it"
    other = house.staff(staff="berit")
    reveal(other, case)
    assert "/refusal/confirm" in other.get(case).text
    place = f"{case}/requests/{asked(house, case_id, Right.ERASURE).id}"
    press(other, f"{place}/refusal/confirm")
    assert asked(house, case_id, Right.ERASURE).refusal is two.ground
    assert isinstance(two.ground, RefusalGround)


def test_a_letter_is_delivered_another_way_with_what_shows_it(house: House) -> None:
    case_id = house.receive("Jeg ber om innsyn i det dere har om meg.")
    desk = house.staff()
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    press(
        desk, f"{case}/confirm", right="access", language="nb", kind="name", value="Kari Testesen"
    )
    (letter_id,) = house.case(case_id).letters
    place = f"{case}/letters/{letter_id}/delivered"
    on = date.today().isoformat()  # noqa: DTZ011

    assert desk.post(place, data={"way": "read-aloud", "on": on}).status_code == 422
    press(desk, place, way="read-aloud", on=on, seen="svarte på spørsmål om et kjøp")
    assert letter_id in house.case(case_id).left


def test_one_button_and_then_the_note_step_by_step(house: House) -> None:
    case_id = approved(house, Right.ACCESS)
    letter_id = letter_of(house, case_id, LetterKind.ANSWER)
    desk = house.staff()
    browser = Browser(desk)
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    browser.open(f"{case}/letters/{letter_id}")

    page = browser.press("/wrong-person")

    assert 'class="countdown"' in page
    assert page.count('class="main"') == 1
    for language in LANGUAGES:
        assert "{" not in browser.open(f"{case}/breaches?lang={language}").split("<main", 1)[1]
    browser.open(f"{case}/breaches?lang=nb")
    browser.press("/note", what="Gikk til naboen.", consequences="Hun så det.", measures="Stengt.")
    refused = browser.http.post(
        next(form.action for form in browser.forms("/authority")), data={"told": "no"}
    )
    assert refused.status_code == 422
    browser.press("/authority", told="yes")
    browser.press("/address", address="kari.rett@person.example")
    browser.press("/person", how="letter")
    page = browser.press("/send-anew", how="mail")
    assert 'class="countdown settled"' in page
    house.work()
    kinds = [(mail.kind, mail.recipient) for mail in house.mails()[-2:]]
    assert kinds == [
        (LetterKind.DISCLOSURE_NOTICE, "kari.rett@person.example"),
        (LetterKind.ANSWER, "kari.rett@person.example"),
    ]
    timeline = browser.open(f"{case}/timeline?lang=nb")
    assert "Avviket er beskrevet" in timeline


def test_every_mistake_has_its_button_in_one_place(house: House) -> None:
    case_id = collected(house, Right.PORTABILITY)
    first = asked(house, case_id, Right.PORTABILITY)
    second = asked(house, confirmed(house, Right.PORTABILITY, text="Igjen"), Right.PORTABILITY)
    house.installation.receipts.link(first.id, to=second.id, by="ola")
    desk = house.staff()
    browser = Browser(desk)
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    for language in LANGUAGES:
        page = browser.open(f"{case}/mistakes?lang={language}")
        assert "{" not in page.split("<main", 1)[1]

    browser.press("/unlink")
    assert asked(house, case_id, Right.PORTABILITY).linked == ()
    browser.press("/mistakes/right", right="access")
    house.work()
    assert asked(house, case_id, Right.ACCESS).id == first.id
    browser.press("/mistakes/identity", reason="namesake")
    assert asked(house, case_id, Right.ACCESS).status is Status.RECEIVED
    refused = browser.http.post(f"{case}/mistakes/take-back", data={"request": str(first.id)})
    assert refused.status_code == 409
    assert 'role="alert"' in refused.text


def test_in_a_browser_the_letter_follows_the_typing_under_the_strict_policy(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    case = f"/desk/cases/{case_id}"
    with chromium() as browser, served(web(house.installation)) as base:
        page = browser.new_page(
            base_url=base, locale="nb-NO", viewport={"width": 390, "height": 800}
        )
        said: list[str] = []
        page.on("console", lambda line: said.append(line.text))
        page.goto("/desk/sign-in")
        page.fill("input[name=token]", house.token())
        page.locator("form:has(input[name=token]) button").first.click()
        page.goto(case)
        page.locator("form[action$='/purpose'] button").click()
        page.goto(f"{case}/letters/write")
        page.fill("textarea[name=free_text]", "Vi ringer deg mandag.")
        page.locator("#seen .words", has_text="Vi ringer deg mandag.").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.locator("button.main").click()
        page.wait_for_url("**/letters/*?done=written")
        assert page.locator("form[action$='/recall'] button").is_visible()
        assert said == [], "nothing was refused by the policy"
