"""A real GNU Mailman, reached by nothing but its description (Art. 15, 17, 21(2))."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.outbound.connectors import build
from domain.vocabulary import Match, Outcome, Right
from services.erasure_ledger import Lists
from services.ports import Connector, Person, Record, Refused, Treatment
from tests.support import mailman
from tests.support.mailman import Mailman
from tests.support.people import somebody
from tests.support.stage import decide, open_stage
from tests.support.stories import raw_mail, request_id

HOUSE = "lykteslottet"
ERASE = "Hei, jeg vil at dere sletter alle opplysninger dere har om meg.\n\nHilsen Kari"
LISTS = """
[[systems]]
id = "mailing"
name = "Nyhetsbrev"
role = "processor"
delivery = "connector"
connector = "mailman"
sector = "mailing"
marketing = true
holdings = [
    { kind = "user", category = "profile" },
    { kind = "membership", category = "newsletter" },
    { kind = "address", category = "profile" },
]
"""


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mailman]:
    with mailman.server(tmp_path_factory.mktemp("mailman")) as running:
        for name in ("news", "club"):
            running.add_list(name)
        yield running


@pytest.fixture
def connector(lists: Mailman) -> Connector:
    return build("mailman", lists.configuration)


def planted(lists: Mailman, tag: str) -> Person:
    for name in ("news", "club"):
        lists.subscribe(name, f"Kari.{tag}@post.example", f"Kari {tag}dal")
    lists.subscribe("news", f"ola.{tag}@post.example", f"Ola {tag}vik")
    return somebody(f"kari.{tag}@post.example")


def test_everybody_is_listed_for_a_replay_with_how_old_what_has_a_date_is(
    lists: Mailman, connector: Connector
) -> None:
    kari = planted(lists, "listed")
    assert isinstance(connector, Lists)

    said = {one.value for identifiers in connector.people() for one in identifiers}

    assert {"kari.listed@post.example", "ola.listed@post.example"} <= {v.lower() for v in said}
    dated = {record.kind: record.since is not None for record in connector.find(kari)}
    assert dated == {"user": True, "membership": False, "address": True}


def erase(connector: Connector, person: Person, records: list[Record]) -> list[Outcome]:
    return [
        connector.erase(person, Treatment(r.key, r.kind), key=f"task/{n}").outcome
        for n, r in enumerate(records)
    ]


def test_all_lists_of_an_address_are_found_whatever_its_case(
    lists: Mailman, connector: Connector
) -> None:
    records = list(connector.find(planted(lists, "Zwyx")))

    assert [(record.kind, record.match) for record in records] == [
        ("user", Match.LINKED_RECORD),
        ("membership", Match.VERIFIED_IDENTIFIER),
        ("membership", Match.VERIFIED_IDENTIFIER),
        ("address", Match.VERIFIED_IDENTIFIER),
    ]
    assert {r.fields["list"] for r in records if r.kind == "membership"} == {
        f"news.{mailman.DOMAIN}",
        f"club.{mailman.DOMAIN}",
    }
    assert "vik" not in repr(records)


def test_after_the_erasure_no_row_of_its_database_names_the_person(
    lists: Mailman, connector: Connector
) -> None:
    person = planted(lists, "Qvarx")
    records = list(connector.find(person))
    assert lists.rows_naming("kari.qvarx") != {}

    assert erase(connector, person, records) == [Outcome.ERASED] * 4

    assert list(connector.find(person)) == []
    assert lists.rows_naming("kari.qvarx") == lists.rows_naming("Qvarxdal") == {}
    assert lists.rows_naming("ola.qvarx") != {}
    assert erase(connector, person, records[:1]) == [Outcome.NOT_FOUND]


def test_an_objection_stops_every_list_and_leaves_the_memberships(
    lists: Mailman, connector: Connector
) -> None:
    person = planted(lists, "Wimx")

    assert connector.suppress(person, key="k").outcome is Outcome.SUPPRESSED
    assert connector.suppress(person, key="k").outcome is Outcome.SUPPRESSED

    found = [record for record in connector.find(person) if record.kind == "membership"]
    assert len(found) == 2
    for record in found:
        said = lists.call("GET", f"/members/{record.key}/preferences")
        assert said["delivery_status"] == "by_user"


def test_a_stranger_is_nobody_there(connector: Connector) -> None:
    assert list(connector.find(somebody("nobody@post.example"))) == []
    assert connector.suppress(somebody("nobody@post.example"), key="k").outcome is Outcome.NOT_FOUND


def test_wrong_credentials_are_for_a_person(lists: Mailman) -> None:
    stranger = build("mailman", lists.configuration | {"password": "wrong"})

    with pytest.raises(Refused, match="401"):
        list(stranger.find(somebody("kari@post.example")))


def test_a_mail_asks_for_erasure_and_a_letter_says_that_it_is_done(
    lists: Mailman, database_url: str, tmp_path: Path
) -> None:
    """From the mail to the answer, at somebody else's server: erased, read back, told (Art. 12)."""
    lists.subscribe("news", "kari.mimsy@post.example", "Kari Mimsydal")
    policy = (Path(__file__).parents[1] / "support/organisations" / f"{HOUSE}.toml").read_text()
    payments = policy.index('[[categories]]\nid = "payments"')
    rest = policy[policy.index("[[categories]]", payments + 1) : policy.index("[[systems]]")]
    profile = tmp_path / f"{HOUSE}.toml"
    profile.write_text(policy[:payments] + rest + LISTS)
    secrets = {(HOUSE, "mailing"): lists.configuration}
    with open_stage(database_url, tmp_path / "home", {HOUSE: profile}, secrets) as story:
        decide(story.installation, HOUSE)
        mail = raw_mail(
            ERASE,
            sender="kari.mimsy@post.example",
            name="Kari Mimsydal",
            to=f"personvern@{HOUSE}.example",
            arrived=story.moment(),
        )
        case = story.confirm(story.arrives(mail, HOUSE))
        erasure = request_id(case, Right.ERASURE)
        story.prove(case["case_id"], "kari.mimsy@post.example")
        assert {record["kind"] for record in story.records(erasure)} == {
            "user",
            "membership",
            "address",
        }

        story.approve(erasure)

        assert story.systems(erasure)["mailing"]["status"] == "done"
        assert story.request(erasure)["answered_at"] is not None
        assert story.postbox.last("kari.mimsy@post.example", "answer").text
    assert lists.rows_naming("mimsy") == {}
