"""Every letter in every language, for every sort of controller."""

from __future__ import annotations

import dataclasses
import os
import random
import re
import textwrap
import tomllib
from datetime import date
from html.parser import HTMLParser
from itertools import pairwise, product
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from domain.authorities import authority
from domain.errors import DomainError
from domain.grounds import grounds
from domain.letters import (
    Block,
    Explanation,
    Group,
    Items,
    MissingBlock,
    required_blocks,
)
from domain.policy import BodyType, Sector, Told
from domain.vocabulary import Country, Language, LetterKind, Outcome, Right
from services.letter_facts import Reply
from services.letter_lint import NEVER, faults
from services.letter_looks import _wrapped
from services.letters import (
    OWN_SYSTEM,
    CategoryOutcome,
    IdentityStep,
    RecipientNotice,
)
from services.ports import Residual
from services.wording import LETTERS, wording
from tests.support.letters import (
    ARCHIVED,
    DATES,
    ERASED,
    EXPORTED,
    KEPT,
    NOTHING,
    PENDING,
    RECEIVED,
    REFUSED,
    RESIDUE,
    facts,
    written,
)
from tests.support.profiles import fictional_profile
from tests.support.readability import lix, sentences

APPROVED = Path(__file__).with_name("letters")


# What must be there


@pytest.mark.parametrize(("kind", "language"), list(product(LetterKind, Language)))
def test_every_letter_carries_its_blocks_in_text_and_html(
    kind: LetterKind, language: Language
) -> None:
    letter = written(kind, language)
    asked = facts(kind)
    outcomes = [told for outcome in asked.outcomes for told in outcome.told]

    assert required_blocks(kind, asked.rights, outcomes) <= letter.letter.blocks
    flat_text, flat_html = _flat(letter.text), _flat(_visible(letter.html))
    for section in letter.letter.sections:
        assert section.heading in letter.text
        for said in _said(section.pieces):
            assert _flat(said) in flat_text
            assert _flat(said) in flat_html


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("country", Country)
def test_the_authority_is_the_countrys_and_no_letter_sends_anybody_to_us_first(
    country: Country, language: Language
) -> None:
    """AK-10, AO-18, X-05, E-03."""
    name = {Country.NO: "Datatilsynet", Country.SE: "Integritetsskyddsmyndigheten (IMY)"}[country]
    other = {Country.NO: "Integritetsskydd", Country.SE: "Datatilsynet"}[country]
    for kind in (LetterKind.ACKNOWLEDGEMENT, LetterKind.ANSWER, LetterKind.PARTIAL_REFUSAL):
        text = written(kind, language, country=country).text
        assert name in _flat(text)
        assert other not in text
        assert "Datainspektionen" not in text
        assert all(line in text for line in authority(country).address)


@pytest.mark.parametrize("kind", [k for k in LetterKind if k is not LetterKind.HOLD_RELEASED])
def test_every_letter_names_who_answers_for_it_and_by_which_number(kind: LetterKind) -> None:
    """AO-01, OK-01, GK-01: the legal entity first, then the unit and the name it trades under."""
    profile = fictional_profile()
    identity = dataclasses.replace(profile.controller, delegate="Kulturavdelingen")
    profile = dataclasses.replace(profile, controller=identity)

    text = written(kind, profile=profile).text

    signed = text[text.rindex("Fjordlys kommune\n") :]
    assert signed.startswith("Fjordlys kommune\nKulturavdelingen\nFjordlys kulturhus\n")
    assert "000 000 000" in signed


def test_a_letter_years_later_is_signed_by_nobody() -> None:
    """E-15: a reference and a link; whoever opens it may be a stranger."""
    letter = written(LetterKind.HOLD_RELEASED)

    for look in (letter.subject, letter.text, _visible(letter.html)):
        assert not re.search(r"fjordlys|kulturhus|kommune|000 000 000|Tove|Kari", look, re.I)
    assert "FJ-2026-0007" in letter.text


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    ("country", "body_type", "appeals"),
    [
        (country, body, country is Country.SE and body is BodyType.PUBLIC_BODY)
        for country, body in product(Country, BodyType)
    ],
)
def test_only_a_swedish_authoritys_refusal_can_be_appealed_to_the_administrative_court(
    country: Country, body_type: BodyType, language: Language, appeals: bool
) -> None:
    """E-04: a municipal company is no authority."""
    refusal = written(LetterKind.PARTIAL_REFUSAL, language, country=country, body_type=body_type)
    assert ("förvaltningsrätten" in refusal.text) is appeals
    if appeals:
        assert "Box 0, 000 00 Norrsken" in refusal.text


@pytest.mark.parametrize(
    ("language", "day"),
    [
        (Language.NB, "mandag 2. november 2026"),
        (Language.NN, "måndag 2. november 2026"),
        (Language.SV, "måndag 2 november 2026"),
        (Language.EN, "Monday 2 November 2026"),
    ],
)
def test_days_are_written_with_their_weekday_in_the_letters_language(
    language: Language, day: str
) -> None:
    for kind in (LetterKind.ACKNOWLEDGEMENT, LetterKind.ANSWER, LetterKind.PARTIAL_REFUSAL):
        assert day in _flat(written(kind, language).text)


# The acknowledgement


def test_an_acknowledgement_names_the_promise_and_the_law_and_not_our_own_target() -> None:
    dates = dataclasses.replace(DATES, target_due=date(2026, 11, 27))
    text = _flat(written(LetterKind.ACKNOWLEDGEMENT, deadlines=dates).text)
    assert "Vi har lovet svar senest tirsdag 1. desember 2026." in text
    assert "Loven krever svar senest onsdag 2. desember 2026." in text
    assert "27. november" not in text


def test_a_promise_later_than_the_law_is_not_held_out() -> None:
    """GK-03: thirty days outlast February."""
    dates = dataclasses.replace(DATES, statutory_due=date(2027, 3, 1), promise_due=date(2027, 3, 3))
    text = _flat(written(LetterKind.ACKNOWLEDGEMENT, deadlines=dates).text)
    assert "Du får svar senest mandag 1. mars 2027. Det er fristen i loven." in text
    assert "3. mars" not in text


def test_questions_outside_articles_15_to_22_get_no_statutory_date() -> None:
    """E-14."""
    text = written(
        LetterKind.ACKNOWLEDGEMENT, rights=(Right.INFORMATION_SECURITY,), deadlines=None
    ).text
    assert "Loven har ingen frist" in text
    assert "senest" not in text


def test_an_acknowledgement_without_any_date_cannot_be_made() -> None:
    with pytest.raises(MissingBlock, match="answer-by"):
        written(LetterKind.ACKNOWLEDGEMENT, deadlines=None)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (IdentityStep.NOT_NEEDED, "Du trenger ikke å vise hvem du er."),
        (IdentityStep.BY_CODE, "Du får en egen e-post med en kode."),
        (IdentityStep.IF_IN_DOUBT, "Er vi i tvil om hvem du er, spør vi deg."),
    ],
)
def test_identity_is_asked_for_only_as_far_as_needed(step: IdentityStep, words: str) -> None:
    """B.1 row 12(6), B.2.8."""
    text = _flat(written(LetterKind.ACKNOWLEDGEMENT, identity=step).text)
    assert words in text
    assert text.count("hvem du er") + text.count("det er du som spør") == 1


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("language", Language)
def test_every_right_is_named_in_plain_words(right: Right, language: Language) -> None:
    letter = written(LetterKind.ACKNOWLEDGEMENT, language, rights=(right,))
    (understood,) = (s for s in letter.letter.sections if s.block is Block.UNDERSTOOD)
    assert wording(LETTERS, language).say(f"rights.{right.value}") in _said(understood.pieces)


def test_marketing_stops_on_a_day_and_not_with_the_answer() -> None:
    """Art. 21(3), 7(3)."""
    text = _flat(
        written(
            LetterKind.ACKNOWLEDGEMENT,
            rights=(Right.OBJECTION_TO_MARKETING, Right.WITHDRAWAL),
            act_by=RECEIVED,
        ).text
    )
    assert "Vi slutter å sende deg reklame senest mandag 2. november 2026." in text
    assert "Vi slutter å bruke samtykket ditt senest mandag 2. november 2026." in text


# The code


@pytest.mark.parametrize("language", Language)
def test_a_code_gives_no_hint_whether_anybody_is_known(language: Language) -> None:
    """B.2.8."""
    letter = written(LetterKind.IDENTITY_CODE, language, greeting_name="Tove Testesen")
    assert "482913" in letter.text
    assert "15" in letter.text
    assert "Testesen" not in letter.text + letter.html
    same = written(
        LetterKind.IDENTITY_CODE, language, outcomes=(ERASED,), rights=(), free_text="You bought"
    )
    assert same.text == letter.text


def test_a_code_letter_without_code_or_end_cannot_be_made() -> None:
    with pytest.raises(MissingBlock, match=r"code, code-ends"):
        written(LetterKind.IDENTITY_CODE, code=None, code_minutes=None)


# What was done and what was not


def test_a_refusal_says_for_each_thing_what_why_by_which_law_and_until_when() -> None:
    """B.1 row 12(4), E-13."""
    text = _flat(written(LetterKind.PARTIAL_REFUSAL).text)
    assert "Betalinger i Kortvei (1 treff): beholdt" in text
    assert "Bare dette blir igjen: beløp, dato og nummer." in text
    assert "Lov: bokføringsloven § 13; GDPR artikkel 17 nr. 3 bokstav b, slik den var" in text
    assert "Til når: onsdag 31. desember 2031" in text
    assert "Et avtrykk av e-postadressen din, ikke selve adressen" in text
    assert "Leverandøren oppgir ingen dato." in text
    assert "Til når: søndag 31. januar 2027" in text
    assert "Vi ser etter på nytt onsdag 30. desember 2026" in text
    assert "Ingen fast dato. Arkivet avgjør" in text
    assert "Tove Testesen bestemte dette for Fjordlys kommune." in text


def test_what_was_erased_is_said_before_what_was_not() -> None:
    letter = written(LetterKind.PARTIAL_REFUSAL)
    blocks = [section.block for section in letter.letter.sections]
    assert blocks.index(Block.DONE) < blocks.index(Block.NOT_DONE) < blocks.index(Block.COMPLAINT)
    (done,) = (s for s in letter.letter.sections if s.block is Block.DONE)
    assert "Bestillinger i Billettby (3 treff): slettet" in _said(done.pieces)
    assert not any("beholdt" in said for said in _said(done.pieces))


def test_what_differs_only_in_count_is_said_once() -> None:
    kept_too = dataclasses.replace(KEPT, count=2)
    letter = written(LetterKind.PARTIAL_REFUSAL, outcomes=(ERASED, KEPT, ERASED, kept_too))
    assert letter.text.count("Bestillinger i Billettby") == 1
    assert "Bestillinger i Billettby (6 treff): slettet" in letter.text
    assert letter.text.count("Betalinger i Kortvei") == 1
    assert "Betalinger i Kortvei (3 treff): beholdt" in letter.text


def test_a_refusal_of_everything_says_that_nothing_was_changed() -> None:
    text = _flat(
        written(LetterKind.PARTIAL_REFUSAL, outcomes=(KEPT,), rights=(Right.ERASURE,)).text
    )
    assert "Vi har ikke gjort det du ba om" in text
    assert "Vi har ikke endret eller slettet noe." in text


def test_an_answer_that_found_nothing_does_not_speak_of_erasing() -> None:
    text = _flat(written(LetterKind.ANSWER, outcomes=(NOTHING,), rights=(Right.ACCESS,)).text)
    assert "Nyhetsbrev i Brevdue: vi fant ingenting" in text
    assert "endret eller slettet" not in text


@pytest.mark.parametrize("name", [None, "", "  "])
def test_no_refusal_without_a_human_name(name: str | None) -> None:
    """B.1 row 22."""
    with pytest.raises(MissingBlock, match="decided-by"):
        written(LetterKind.PARTIAL_REFUSAL, decided_by=name)


def test_a_refusal_in_somebodys_own_words_needs_its_law() -> None:
    said = _flat(written(LetterKind.PARTIAL_REFUSAL, outcomes=(REFUSED,)).text)
    assert "The seat map shows who sat where during an accident." in said
    with pytest.raises(MissingBlock, match="law"):
        written(LetterKind.PARTIAL_REFUSAL, outcomes=(dataclasses.replace(REFUSED, law=None),))
    with pytest.raises(MissingBlock, match="why"):
        written(LetterKind.PARTIAL_REFUSAL, outcomes=(dataclasses.replace(REFUSED, why=None),))


@pytest.mark.parametrize("outcome", [KEPT, RESIDUE, PENDING, ARCHIVED, REFUSED])
def test_an_answer_cannot_hide_what_was_not_done(outcome: CategoryOutcome) -> None:
    """AO-06; residuals and vendors' jobs are told like anything kept."""
    with pytest.raises(MissingBlock, match="partial-refusal"):
        written(LetterKind.ANSWER, outcomes=(EXPORTED, outcome))


def test_what_remains_of_many_records_alike_is_told_once() -> None:
    """Art. 12(1): concise; sorts of record that left different traces are one thing done."""
    also = dataclasses.replace(RESIDUE, count=2, residuals=RESIDUE.residuals[:1])
    text = written(LetterKind.PARTIAL_REFUSAL, Language.NB, outcomes=(RESIDUE, also)).text

    assert text.count("Et avtrykk av e-postadressen din") == 1
    assert text.count("Linjer i en logg") == 1
    assert text.count("slettet") == 1
    assert "(3 treff): slettet" in text


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("ground", [ground.code for ground in grounds()])
@pytest.mark.parametrize("until", [None, date(2031, 12, 31)])
def test_every_ground_has_its_words(ground: str, language: Language, until: date | None) -> None:
    kept = dataclasses.replace(KEPT, ground=ground, until=until)
    letter = written(LetterKind.PARTIAL_REFUSAL, language, outcomes=(kept,))
    assert "{" not in letter.text


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_its_words(outcome: Outcome, language: Language) -> None:
    assert wording(LETTERS, language).say(f"outcomes.{outcome.value}")


def test_a_residual_nobody_has_words_for_is_refused_with_what_to_do() -> None:
    odd = dataclasses.replace(RESIDUE, residuals=(Residual("smoke", "fire"),))
    with pytest.raises(DomainError, match=r"no words for 'smoke': add it to \[residual_what\]"):
        written(LetterKind.PARTIAL_REFUSAL, outcomes=(odd,))


@pytest.mark.parametrize("language", Language)
def test_every_residual_that_a_connector_names_has_its_words(language: Language) -> None:
    connectors = Path(__file__).parents[2] / "adapters" / "outbound" / "connectors"
    found = [
        codes
        for path in connectors.glob("*.py")
        for codes in re.findall(r'Residual\(\s*"([^"]+)",\s*"([^"]+)"', path.read_text("utf-8"))
    ]
    texts = wording(LETTERS, language).texts
    for what, why in found:
        assert f"residual_what.{what}" in texts
        assert f"residual_why.{why}" in texts


@pytest.mark.parametrize("field", ["category", "system"])
def test_a_name_the_profile_does_not_know_is_refused_with_what_to_do(field: str) -> None:
    changes: dict[str, Any] = {field: "cellar"}
    odd = dataclasses.replace(ERASED, **changes)
    with pytest.raises(DomainError, match=rf"{field} 'cellar' has no name in profile fjordlys"):
        written(LetterKind.ANSWER, outcomes=(odd,))


def test_trettio_itself_has_a_name_without_being_in_the_profile() -> None:
    own = dataclasses.replace(ERASED, system=OWN_SYSTEM)
    text = _flat(written(LetterKind.ANSWER, outcomes=(own,)).text)
    assert "Bestillinger i systemet vårt for slike saker" in text


# Others


@pytest.mark.parametrize("language", Language)
def test_payment_parties_are_informed_or_referred_to_and_erase_nothing(language: Language) -> None:
    """E-11: never «deleted at …»."""
    letter = written(LetterKind.PARTIAL_REFUSAL, language)
    (recipients,) = (s for s in letter.letter.sections if s.block is Block.RECIPIENTS)
    said = " ".join(_said(recipients.pieces)).lower()
    assert "delbetal" in said
    assert "personvern@delbetal.example" in said
    assert not re.search(r"slett|radera|erase|delete", said)


@pytest.mark.parametrize(
    ("sector", "told", "contact", "said"),
    [
        (
            Sector.PAYMENT,
            Told.INFORMED,
            "personvern@delbetal.example",
            "Vi har gitt dem beskjed om det vi har sendt dit. De svarer selv for det de har om "
            "betalingen. Vi kan ikke endre noe hos dem. "
            "Ta kontakt med dem: personvern@delbetal.example.",
        ),
        (
            Sector.BANK,
            Told.REFERRED,
            None,
            "De svarer selv for det de har om betalingen. Vi kan ikke endre noe hos dem. "
            "Ta kontakt med dem eller med banken din.",
        ),
        (
            Sector.BANK,
            Told.NOTHING,
            None,
            "De har ikke fått beskjed. De svarer selv for det de har om betalingen. "
            "Vi kan ikke endre noe hos dem. Ta kontakt med dem eller med banken din.",
        ),
    ],
)
def test_a_payment_party_is_told_of_what_was_passed_on_and_answers_for_the_rest(
    sector: Sector, told: Told, contact: str | None, said: str
) -> None:
    """E-11: who moves money is informed of what went there, and the person is referred to it."""
    profile = fictional_profile()
    first, *others = profile.recipients
    own = dataclasses.replace(first, sector=sector, told=told, contact=contact)
    letter = written(
        LetterKind.ANSWER,
        profile=dataclasses.replace(profile, recipients=(own, *others)),
        recipients=(RecipientNotice("instalments", told),),
    )
    (recipients,) = (s for s in letter.letter.sections if s.block is Block.RECIPIENTS)
    assert _said(recipients.pieces) == [f"Delbetal: {said}"]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("told", Told)
def test_nothing_is_erased_at_a_payment_party_in_any_language(
    language: Language, told: Told
) -> None:
    """E-11: never "deleted at …", however it was told and whatever it answered."""
    profile = fictional_profile()
    first, *others = profile.recipients
    own = dataclasses.replace(first, sector=Sector.PAYMENT, told=told)
    for reply in Reply:
        letter = written(
            LetterKind.RECIPIENTS,
            language,
            profile=dataclasses.replace(profile, recipients=(own, *others)),
            recipients=(
                RecipientNotice(
                    "instalments",
                    told,
                    on=RECEIVED,
                    about=Right.ACCESS,
                    answered=reply,
                    answered_on=RECEIVED,
                ),
            ),
        )
        (recipients,) = (s for s in letter.letter.sections if s.block is Block.RECIPIENTS)
        said = " ".join(_said(recipients.pieces)).lower()
        assert not re.search(r"slett|radera|erase|delete", said)


def test_who_asks_reads_what_each_recipient_got_was_told_and_answered() -> None:
    """Art. 19 second sentence: on request, and in words."""
    notice = RecipientNotice(
        "instalments",
        Told.INFORMED,
        on=RECEIVED,
        about=Right.ERASURE,
        fields=("name", "email"),
        categories=("orders", "unknown-to-the-profile"),
        answered=Reply.NOTHING_HELD,
        answered_on=date(2026, 11, 4),
        proof="1f0c2a9b",
    )
    letter = written(LetterKind.RECIPIENTS, recipients=(notice,))
    (recipients,) = (s for s in letter.letter.sections if s.block is Block.RECIPIENTS)
    assert _said(recipients.pieces)[-1] == (
        "Delbetal: De har fått dette: navn og e-post. Det gjelder bestillinger. "
        "Vi har gitt dem beskjed. De svarer selv for det de har om deg. "
        "Du når dem her: personvern@delbetal.example. "
        "Mandag 2. november 2026 fikk de vite at vi har slettet. "
        "Onsdag 4. november 2026 svarte de at de ikke har noe om deg. Referanse: 1f0c2a9b."
    )


def test_that_nobody_had_to_be_told_is_said() -> None:
    text = written(LetterKind.ANSWER, recipients=()).text
    assert "Vi har ikke funnet andre som skal ha beskjed." in text


def test_the_recipients_own_words_in_the_profile_go_first() -> None:
    profile = fictional_profile()
    first, *others = profile.recipients
    own = dataclasses.replace(first, words={Language.NB: "Delbetal har egne regler."})
    text = written(
        LetterKind.ANSWER,
        profile=dataclasses.replace(profile, recipients=(own, *others)),
    ).text
    assert "- Delbetal: Delbetal har egne regler." in text


# The copy


def test_an_answer_about_access_needs_a_link_with_an_end_or_an_enclosure() -> None:
    assert "onsdag 30. desember 2026" in _flat(written(LetterKind.ANSWER).text)
    with pytest.raises(MissingBlock, match="package"):
        written(LetterKind.ANSWER, link_url=None)
    with pytest.raises(MissingBlock, match="package"):
        written(LetterKind.ANSWER, link_ends_on=None)
    assert "Kopien ligger ved" in written(LetterKind.ANSWER, link_url=None, enclosed=True).text


def test_a_link_is_never_broken() -> None:
    url = "https://desk.example/answer/" + "a" * 120
    letter = written(LetterKind.ANSWER, link_url=url)
    assert url in letter.text.split("\n")
    assert f'href="{url}"' in letter.html


def test_what_was_covered_is_said_with_its_rule() -> None:
    """Art. 15(4)."""
    assert Block.COVERED in written(LetterKind.ANSWER, covered=True).letter.blocks
    assert Block.COVERED not in written(LetterKind.ANSWER).letter.blocks


@pytest.mark.parametrize("language", Language)
def test_where_nobody_could_search_the_answer_says_what_to_send(language: Language) -> None:
    """GK-14: a log that knows nobody by what was given (Art. 11(2)), in short words."""
    answer = written(LetterKind.ANSWER, language, unsearchable=("mailing",))

    assert Block.NOT_SEARCHED in answer.letter.blocks
    (section,) = [s for s in answer.letter.sections if s.block is Block.NOT_SEARCHED]
    said = " ".join(_said(section.pieces))
    assert "Brevdue" in said
    assert "11" in said
    assert "IP" in said
    assert faults(answer, fictional_profile()) == []
    assert Block.NOT_SEARCHED not in written(LetterKind.ANSWER, language).letter.blocks


# How it reads


def test_the_measure_measures() -> None:
    assert lix(["En hund. To ender."]) == 2
    assert lix(["Personvernombudet svarer deg."]) == pytest.approx(3 + 100 / 3)
    assert [len(s) for s in sentences(["Den 2. mai. Kom! Art. 17(3) gjelder: ja."])] == [2, 1, 2, 1]


@pytest.mark.parametrize("language", Language)
def test_some_words_are_never_used(language: Language) -> None:
    """E-17."""
    for key, text in wording(LETTERS, language).texts.items():
        assert not NEVER.search(text), key


def test_lines_of_text_are_short_enough() -> None:
    for kind, language in product(LetterKind, Language):
        lines = written(kind, language).text.split("\n")
        assert all(len(line) <= 72 for line in lines)


# Other people's words


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</p></main><h1>Paid",
    "{{ letter.subject }} {% raw %}",
    "{case} {0} %s",
    "&lt;b&gt;",
]


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("field", ["free_text", "greeting_name", "decided_by", "case_reference"])
def test_nobodys_words_become_markup(field: str, hostile: str) -> None:
    theirs: dict[str, Any] = {field: hostile}
    ours: dict[str, Any] = {field: "words"}
    letter = written(LetterKind.PARTIAL_REFUSAL, **theirs)
    plain = written(LetterKind.PARTIAL_REFUSAL, **ours)
    assert _tags(letter.html) == _tags(plain.html)
    assert hostile in _visible(letter.html)
    assert _flat(hostile) in _flat(letter.text)


def test_a_message_keeps_its_lines_and_loses_what_would_hide_text() -> None:
    letter = written(LetterKind.ANSWER, free_text="First.\r\n\r\nSec\u202eond.\x00\x07")
    assert "First.\n\nSecond." in letter.text
    assert "First.\n\nSecond." in letter.html


def test_a_name_cannot_break_the_subject_or_the_greeting() -> None:
    letter = written(
        LetterKind.ANSWER, case_reference="X\r\nBcc: a@b.example", greeting_name="Tove\n\nT"
    )
    assert "\n" not in letter.subject
    assert letter.text.startswith("Hei, Tove T!\n")


@pytest.mark.parametrize(("kind", "language"), list(product(LetterKind, Language)))
def test_html_is_one_document_with_language_headings_and_nothing_from_elsewhere(
    kind: LetterKind, language: Language
) -> None:
    """E-18."""
    html = written(kind, language).html
    assert html.startswith(f'<!doctype html>\n<html lang="{language.value}">')
    assert not re.search(r"<script|<img|<link|<iframe|@import|url\(|\son\w+=", html)
    tags = _tags(html)
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert "main" in tags


# The words as data


@pytest.mark.parametrize("language", [language for language in Language if language.value != "nb"])
def test_each_language_has_every_text_with_the_same_placeholders(language: Language) -> None:
    reference, other = wording(LETTERS, Language.NB).texts, wording(LETTERS, language).texts
    assert list(other) == list(reference)
    for key, text in reference.items():
        assert _placeholders(other[key]) == _placeholders(text), key


def test_every_field_has_a_name_in_every_language() -> None:
    path = LETTERS.with_name("field_names.toml")
    names = tomllib.loads(path.read_text(encoding="utf-8"))["names"]
    for name, words in names.items():
        assert set(words) == {language.value for language in Language}, name


def test_there_are_as_many_files_as_languages() -> None:
    """X-05."""
    assert {path.stem for path in LETTERS.glob("*.toml")} == {lang.value for lang in Language}


# For people to read


@pytest.mark.parametrize(("kind", "language"), list(product(LetterKind, Language)))
def test_the_letters_are_those_that_were_read_and_approved(
    kind: LetterKind, language: Language
) -> None:
    """To approve a change, run with TRETTIO_APPROVE=1 and read the difference."""
    country = Country.SE if language is Language.SV else Country.NO
    letter = written(kind, language, country=country)
    path = APPROVED / f"{kind.value}.{language.value}.txt"
    now = f"{letter.subject}\n\n{letter.text}"
    if os.environ.get("TRETTIO_APPROVE") == "1":
        path.write_text(now, encoding="utf-8")
    assert now == path.read_text(encoding="utf-8")


# Help


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def _flat(text: str) -> str:
    return " ".join(text.split())


def _said(pieces: Any) -> list[str]:
    said: list[str] = []
    for piece in pieces:
        if isinstance(piece, Explanation):
            said += [piece.title, *(one.text for one in piece.said)]
        elif isinstance(piece, Items | Group):
            said += piece.items
        elif hasattr(piece, "text"):
            said.append(piece.text)
    return said


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self.skipping = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.skipping = tag in {"style", "title"}

    def handle_endtag(self, tag: str) -> None:
        self.skipping = False

    def handle_data(self, data: str) -> None:
        if not self.skipping:
            self.text.append(data)


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    return reader


def _tags(html: str) -> list[str]:
    return _read(html).tags


def _visible(html: str) -> str:
    return "".join(_read(html).text)


def test_lines_break_where_textwrap_breaks_them() -> None:
    chance = random.Random(72)
    words = ["i", "ord", "personvern", "lang-ord", "x" * 69, "y" * 70, "z" * 71, "å" * 72, "ö" * 90]
    for _ in range(1_000):
        blanks = [chance.choice([" ", " ", " ", "  ", "\t", "\n", " " * 5]) for _ in range(25)]
        text = chance.choice(["", " ", "   "]) + "".join(chance.choice(words) + b for b in blanks)
        for lead in ("", "- ", "  "):
            assert _wrapped(text, lead) == textwrap.wrap(
                text,
                72,
                initial_indent=lead,
                subsequent_indent=" " * len(lead),
                break_long_words=False,
                break_on_hyphens=False,
            )
