import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.vocabulary import Language, Right, TriageKind
from services.messages import Nature
from services.triage import Certainty, detect_language, propose

MESSAGES = tomllib.loads(
    Path(__file__).with_name("triage_messages.toml").read_text(encoding="utf-8")
)["message"]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda one: one["text"][:40])
def test_a_message_is_taken_for_what_it_is(message: dict[str, Any]) -> None:
    """OK-03, OK-04, AO-02, AK-05, AK-12, GK-18, GK-23, E-06 and more, as people say it."""
    proposal = propose(message["text"], message.get("subject", ""), fallback=Language.NB)

    assert (
        sorted(right.value for right in proposal.rights),
        proposal.kind.value,
        proposal.language.value,
    ) == (sorted(message["rights"]), message["kind"], message["language"])


def test_the_messages_cover_every_language_and_every_right() -> None:
    for language in Language:
        spoken = [one for one in MESSAGES if one["language"] == language.value]
        assert len(spoken) >= 24
        assert sum(not one["rights"] for one in spoken) >= 4
    assert {right for one in MESSAGES for right in one["rights"]} == {one.value for one in Right}


def test_every_proposed_right_shows_the_words_it_comes_from() -> None:
    text = "Hei! Jeg vil ha innsyn, og slett så kontoen min."

    proposal = propose(text, "Sletting", fallback=Language.NB)

    assert {one.says for one in proposal.evidence} == {Right.ACCESS, Right.ERASURE}
    for one in proposal.evidence:
        place = "Sletting" if one.in_subject else text
        assert place[one.start : one.end] == one.words


@pytest.mark.parametrize(
    "text",
    [
        "Ikke slett kontoen min",
        "Slett ikke kontoen min",
        "Jeg vil ikke at dere skal slette opplysningene mine",
        "Opplysningene mine må ikke slettes",
        "De må ikkje sletta opplysningane mine",
        "Jeg har ikke bedt om sletting",
        "Radera inte mina uppgifter",
        "Mitt konto får inte raderas",
        "Jag har inte bett om radering",
        "Låt bli att radera mitt konto",
        "Do not delete my account",
        "Please don’t erase my data",
        "I never asked you to delete my account",
        "My data must not be deleted",
    ],
)
def test_what_somebody_does_not_want_is_not_proposed(text: str) -> None:
    assert Right.ERASURE not in propose(text, "", fallback=Language.NB).rights


@pytest.mark.parametrize(
    "text",
    [
        "Dere har ikke slettet kontoen min",
        "Får ikke slettet kontoen min",
        "Kvifor er ikkje opplysningane mine sletta?",
        "Jeg vil ikke ha kontoen lenger, slett den og alle opplysninger",
        "Ni har fortfarande inte raderat mina uppgifter",
        "Kan ni inte bara radera mitt konto",
        "You have still not deleted my data",
        "If you do not delete my account I will complain",
    ],
)
def test_a_complaint_that_nothing_was_done_is_still_a_request(text: str) -> None:
    assert propose(text, "", fallback=Language.NB).rights == (Right.ERASURE,)


@pytest.mark.parametrize(
    ("text", "rights"),
    [
        ("Slett meg fra nyhetsbrevet", {Right.OBJECTION_TO_MARKETING}),
        (
            "Slett opplysningene mine og stopp nyhetsbrevet",
            {Right.ERASURE, Right.OBJECTION_TO_MARKETING},
        ),
        (
            "Radera mitt konto och sluta skicka nyhetsbrev",
            {Right.ERASURE, Right.OBJECTION_TO_MARKETING},
        ),
        ("Slett kontoen min og alle ordre", {Right.ERASURE}),
        ("Delete my account and all my orders", {Right.ERASURE}),
        ("Slett ordren min", set()),
        (
            "Jeg protesterer mot profilering og reklame",
            {Right.OBJECTION, Right.OBJECTION_TO_MARKETING},
        ),
        ("Kopi av sikkerhetsmekanismene for mine data, takk", {Right.TRANSFER_SAFEGUARDS}),
        ("Jag vill se mina uppgifter och få dem rättade", {Right.ACCESS, Right.RECTIFICATION}),
    ],
)
def test_the_same_words_are_not_taken_twice_and_none_are_lost(
    text: str, rights: set[Right]
) -> None:
    assert set(propose(text, "", fallback=Language.NB).rights) == rights


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Jag vill ha ett RÄTTELSE av mina uppgifter, begär rättelse", Right.RECTIFICATION),
        ("jag vill ha mina uppgifter rattade, begar rattelse", Right.RECTIFICATION),
        ("jeg vil ha slettet personopplysningane", Right.ERASURE),
        ("registerutdarg", Right.ACCESS),
        ("regiserutdrag", Right.ACCESS),
        ("hva har dere lagret paa meg", Right.ACCESS),
        ("slett alle personoplysningene mine", Right.ERASURE),
        ("slett alle opplys\u00adningene mine", Right.ERASURE),
    ],
)
def test_spelling_is_forgiven(text: str, right: Right) -> None:
    assert right in propose(text, "", fallback=Language.NB).rights


def test_a_typing_mistake_makes_a_proposal_uncertain() -> None:
    assert propose("registerutdrag", "", fallback=Language.SV).certainty is Certainty.HIGH
    assert propose("regsterutdrag", "", fallback=Language.SV).certainty is Certainty.LOW


@pytest.mark.parametrize(
    "text",
    [
        "Jag vill ha ett registerutdrag.",
        "Kan jag få ett utdrag ur era register?",
        "Skicka mig ett utdrag om mig, tack.",
    ],
)
def test_an_extract_from_the_register_is_access(text: str) -> None:
    """OK-03, AO-02: certain, whichever way it is said."""
    proposal = propose(text, "", fallback=Language.SV)

    assert proposal.rights == (Right.ACCESS,)
    assert proposal.certainty is Certainty.HIGH


def test_document_access_is_not_article_15() -> None:
    """E-06: handled at once, never in the thirty-day list."""
    proposal = propose(
        "Jeg krever innsyn i saksdokumentene etter offentleglova.", "Innsyn", fallback=Language.NB
    )

    assert proposal.kind is TriageKind.DOCUMENT_ACCESS
    assert proposal.rights == ()


def test_document_access_beside_access_to_own_data_is_for_a_person_to_part() -> None:
    proposal = propose(
        "Jeg krever innsyn i kontrakten med arrangøren. Send meg også en kopi av opplysningene "
        "dere har om meg.",
        "",
        fallback=Language.NB,
    )

    assert proposal.rights == (Right.ACCESS,)
    assert proposal.certainty is Certainty.LOW


def test_a_request_to_somebody_who_answers_for_himself_is_marked() -> None:
    proposal = propose(
        "Kan dere slette opplysningene mine hos Betalbanken?",
        "",
        fallback=Language.NB,
        other_controllers=["Betalbanken"],
    )

    assert proposal.kind is TriageKind.OTHER_CONTROLLER
    assert proposal.rights == (Right.ERASURE,)
    assert proposal.certainty is Certainty.LOW


@pytest.mark.parametrize("nature", [one for one in Nature if one is not Nature.PERSONAL])
def test_what_no_person_wrote_proposes_nothing(nature: Nature) -> None:
    proposal = propose("Slett kontoen min", "Innsyn", fallback=Language.NB, nature=nature)

    assert (proposal.kind, proposal.rights) == (TriageKind.AUTOMATIC, ())


@pytest.mark.parametrize("fallback", list(Language))
@pytest.mark.parametrize("text", ["", "ok", "12345", "???"])
def test_too_little_text_speaks_the_controllers_language(text: str, fallback: Language) -> None:
    assert detect_language(text, fallback=fallback) is fallback


@given(text=st.text(), subject=st.text(max_size=50))
def test_any_text_gets_a_proposal(text: str, subject: str) -> None:
    proposal = propose(text, subject, fallback=Language.EN)

    assert bool(proposal.rights) == (proposal.kind is TriageKind.RIGHTS_REQUEST)


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "piece", ["slett ", "kopi av ", "hva har ", "ikke slett ", "a", "å\u0356", "\ud800", "'-"]
)
def test_a_long_text_takes_no_long_time(piece: str) -> None:
    propose(piece * 100_000, piece * 100_000, fallback=Language.NB)


@pytest.mark.parametrize(
    ("text", "rights"),
    [
        ("Min mor er død. Jeg ber om innsyn i opplysningene om henne.", (Right.ACCESS,)),
        ("Jeg skriver på vegne av dødsboet etter Kari.", ()),
        ("Min far avled i våras, radera hans konto.", (Right.ERASURE,)),
        ("My father passed away. Please delete his account.", (Right.ERASURE,)),
    ],
)
def test_who_writes_about_the_dead_is_read_with_care(text: str, rights: tuple[Right, ...]) -> None:
    """E-09: another letter; what it asks for is proposed all the same."""
    proposal = propose(text, "", fallback=Language.NB)

    assert (proposal.kind, proposal.rights) == (TriageKind.DECEASED, rights)
    assert proposal.certainty is Certainty.LOW


@pytest.mark.parametrize(
    "text",
    ["Slett kontoen min, den er død for meg.", "Mannen min og jeg vil bort fra listen deres."],
)
def test_a_figure_of_speech_buries_nobody(text: str) -> None:
    assert propose(text, "", fallback=Language.NB).kind is TriageKind.RIGHTS_REQUEST
