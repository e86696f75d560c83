"""Cases found by whom they are about: for a purpose, on record, and nothing typed is kept."""

from __future__ import annotations

import re

from structlog.testing import capture_logs

from adapters.outbound.external_numbers import PostgresExternalNumbers
from domain.vocabulary import Content, IdentifierKind, Right
from services.finding import kinds_of
from services.ports import Identifier
from tests.support.asking import confirmed
from tests.support.house import KARI, NORWAY, SWEDEN, House

PHONE = "+47 22 99 99 99"
WHO = (
    Identifier(IdentifierKind.EMAIL, KARI),
    Identifier(IdentifierKind.PHONE, PHONE),
    Identifier(IdentifierKind.NAME, "Kari Testesen"),
)


def found(page: str) -> set[str]:
    return set(re.findall(r'class="whole" href="/desk/cases/([0-9a-f-]+)"', page))


def test_a_case_is_found_by_what_the_person_is_known_by(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS, identifiers=WHO)
    house.work()
    installation, desk = house.installation, house.staff()
    numbers = PostgresExternalNumbers(installation.database, installation.vault)
    installation.database.run(numbers.give(NORWAY, case_id, "CRM 17"))
    ways = (KARI.upper(), "22 99 99 99", "kari  testesen", "CRM 17")
    for typed in ways:
        asked = desk.post("/desk/search", data={"q": typed})  # no purpose: nothing is looked for
        assert asked.status_code == 200
        assert found(asked.text) == set()
    assert house.installation.looking.at_all(NORWAY) == ()

    for typed in ways:
        with capture_logs() as lines:
            answer = desk.post("/desk/search", data={"q": typed, "purpose": "handle"})
        assert found(answer.text) == {str(case_id)}
        assert answer.text.count(typed) == 1  # it stands in its field, and no name beside the case
        assert answer.text.lower().count("testesen") == typed.lower().count("testesen")
        assert typed not in f"{lines} {answer.url}"
        (row,) = house.installation.database.fetch(
            "SELECT count(*) FROM trettio.log WHERE position(convert_to(%s, 'utf8') IN state) > 0",
            [typed],
        )
        assert row["count"] == 0
    (look,) = house.installation.looking.at_all(NORWAY)
    assert look.what == (Content.SEARCH,)


def test_nothing_is_found_that_is_another_controllers(house: House) -> None:
    confirmed(house, Right.ACCESS, identifiers=WHO)
    house.work()
    other = house.staff(SWEDEN, staff="pia")
    asked = {"q": KARI, "purpose": "handle"}
    nobody = {"q": "nobody@person.example", "purpose": "handle"}
    theirs, nothing = (other.post("/desk/search", data=one).text for one in (asked, nobody))
    assert theirs.replace(KARI, "X") == nothing.replace("nobody@person.example", "X")
    assert house.installation.looking.at_all(NORWAY) == ()


def test_what_is_typed_is_shown_as_text_and_nothing_else(house: House) -> None:
    page = house.staff().post("/desk/search", data={"q": '"><script>x</script>\u202e'}).text
    assert "<script>x" not in page
    assert "\u202e" not in page
    assert house.staff().post("/desk/search", data={"q": "x", "purpose": "x"}).status_code == 422


def test_words_are_looked_up_as_what_they_may_be() -> None:
    assert kinds_of(KARI)[0] is IdentifierKind.EMAIL
    assert IdentifierKind.PHONE in kinds_of("(+47) 22 99 99 99")
    assert IdentifierKind.NAME in kinds_of("Kari Testesen")
    assert IdentifierKind.ORDER_NUMBER in kinds_of("A1B2C")
    every = {kind for words in ("a@b", "123", "x 1") for kind in kinds_of(words)}
    assert IdentifierKind.NATIONAL_NUMBER not in every
