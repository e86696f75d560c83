import pytest

from services.messages import own_words

QUOTES = [
    "Den man. 2. nov. 2026 kl. 10:22 skrev Fjordscenen <post@fjordscenen.example>:\n> gammelt",
    "Den man. 2. nov. 2026 kl. 10:22 skrev Fjordscenen\n<post@fjordscenen.example>:\n> gammelt",
    "Den 2. nov. 2026 kl. 10:22 skreiv Fjordscenen <post@fjordscenen.example>:\ngammelt",
    "Den mån 2 nov. 2026 kl 10:22 skrev Stundbiljett <kontakt@stundbiljett.example>:\ngammelt",
    "On Mon, Nov 2, 2026 at 10:22 AM Support <support@stundbiljett.example> wrote:\n> gammelt",
    "-----Original Message-----\nFrom: x\n\ngammelt",
    "-----Opprinnelig melding-----\ngammelt",
    "-----Ursprungligt meddelande-----\ngammelt",
    "Fra: Fjordscenen\nSendt: mandag 2. november 2026\nTil: meg\nEmne: Svar\n\ngammelt",
    "Från: Stundbiljett\nSkickat: den 2 november 2026\nTill: mig\nÄmne: Svar\n\ngammelt",
    "> gammelt\n> gammelt",
    "-- \ngammelt",
    "Sendt fra min mobil",
]


@pytest.mark.parametrize("quote", QUOTES)
def test_quoted_history_and_signature_are_not_own_words(quote: str) -> None:
    assert own_words(f"Slett kontoen min.\n\nHilsen Siv\n\n{quote}") == (
        "Slett kontoen min.\n\nHilsen Siv"
    )


def test_a_line_right_above_the_history_stays() -> None:
    text = "Slett ordre 20193\nDen 2. nov. 2026 kl. 10:22 skrev Fjordscenen:\ngammelt"
    assert own_words(text) == "Slett ordre 20193"


@pytest.mark.parametrize(
    "text",
    [
        "Dere skrev: vi svarer snart.\nDet har dere ikke gjort.",
        "Den 12.10.2026 skrev jeg til dere:\nSlett kontoen min.",
        "On 12 October 2026 I wrote to you:\nDelete my account.",
        "Fra: Oslo\nreiser jeg til Gjøvik.",
        "-- slett meg --",
    ],
)
def test_own_words_that_look_like_history_stay(text: str) -> None:
    assert own_words(f"Hei.\n{text}") == f"Hei.\n{text}"


def test_answers_between_quoted_lines_stay() -> None:
    assert own_words("> Vil du slettes?\nJa.\n> Alt?\nJa, alt.") == "Ja.\nJa, alt."


def test_where_only_history_is_left_it_is_the_message() -> None:
    quoted = "> Slett kontoen min."
    assert own_words(quoted) == quoted


def test_a_forwarded_message_keeps_what_was_forwarded() -> None:
    text = "Til dere?\n\nFra: Siv\nSendt: i går\nTil: post\nEmne: Slett\n\nSlett meg."
    assert own_words(text, forwarded=True) == text
    assert own_words(text) == "Til dere?"
