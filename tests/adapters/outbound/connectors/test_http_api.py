"""A system that is only described: asked exactly, believed carefully (Art. 5(1)(d), (f), 12(6)).

listmonk, Brevo and Mailman show whole systems; here is what each word of a description does.
"""

from __future__ import annotations

import json
import sqlite3
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import structlog
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import adapters.inbound.web
import services
from adapters.demo.doubles.server import Call, Reply
from adapters.outbound.connectors import Misconfigured, build
from adapters.outbound.connectors.http_api.description import read_description, shipped, shipped_as
from adapters.outbound.connectors.http_api.templates import parsed
from domain.vocabulary import Match
from services.ports import (
    Garbled,
    Refused,
)
from tests.support.people import somebody
from tests.support.scripted import FIND, HEAD, KARI, Answers, Scripted, described, rows


@pytest.fixture(scope="module")
def running() -> Iterator[Scripted]:
    with Scripted() as double:
        yield double


@pytest.fixture
def system(running: Scripted) -> Scripted:
    running.asked.clear()
    running.answers = lambda call: rows()
    return running


# Asking


EVERYWHERE = """
[[find]]
by = "email"
method = "POST"
path = "/people/{email}/all"
query = { q = "{email}", fixed = "1" }
json = { who = "{email}", words = ["is {email}!"], fixed = true }
rows = "/rows"
matches = { email = ["/email"] }
record = { kind = "person", key = "/id", fields = { email = "/email" } }
"""


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(value=st.text(min_size=1, max_size=40))
@example(value="../../admin?x=1#y")
@example(value="a%2e%2e%2fb%00")
@example(value='"; DROP TABLE people; --')
@example(value="a\r\nX-Injected: yes\r\n\r\nGET /admin HTTP/1.1")
@example(value="{setting.key}{email}{0}")
@example(value="a&q=other&fixed=2")
@example(value="..")
@example(value="\ud800")
@example(value='","admin":true,"x":"\\')
def test_whatever_is_asked_for_stays_in_its_place(running: Scripted, value: str) -> None:
    """The oracle reads the request that arrived: one value in each place, and nothing beside."""
    running.asked.clear()
    running.answers = lambda call: rows()
    connector = described(running, EVERYWHERE)
    try:
        found = list(connector.find(somebody(value)))
    except Refused:
        assert running.asked == []
        assert value.strip() in {".", ".."} or any(0xD800 <= ord(c) <= 0xDFFF for c in value)
        return
    assert found == []
    wanted = value.strip()
    if not wanted:
        assert running.asked == []
        return
    (call,) = running.asked
    assert [unquote(part) for part in call.path.split("/")] == ["", "people", wanted, "all"]
    assert call.query == {"q": [wanted], "fixed": ["1"]}
    assert json.loads(call.body) == {"who": wanted, "words": [f"is {wanted}!"], "fixed": True}
    assert "X-Injected" not in call.headers


@given(value=st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=30))
@example(value="' OR '1'='1")
@example(value="\\'; --")
def test_a_text_in_sql_quotes_is_one_text(value: str) -> None:
    filled = parsed("SELECT '{email|sql}'").filled({"email": value})

    with closing(sqlite3.connect(":memory:")) as database:
        assert database.execute(filled).fetchall() == [(value,)]


def test_a_header_takes_no_second_line(system: Scripted) -> None:
    text = FIND.replace("rows =", 'headers = { X-Who = "{email}" }\nrows =')

    with pytest.raises(Refused, match="header"):
        list(described(system, text).find(somebody("a\r\nX-Other: b")))

    assert system.asked == []


def test_one_question_serves_all_spellings_that_it_makes_the_same(system: Scripted) -> None:
    text = FIND.replace("{email}", "{email|lower}")

    list(described(system, text).find(somebody("KARI@post.example", "kari@post.example ")))

    assert [call.query["email"] for call in system.asked] == [["kari@post.example"]]


# Credentials


@pytest.mark.parametrize(
    ("auth", "name", "value"),
    [
        ('kind = "basic"\nuser = "{setting.user}"\npassword = "{setting.key}"', "Authorization",
         "Basic YWRtaW46czNjcmV0"),
        ('kind = "bearer"\ntoken = "{setting.key}"', "Authorization", "Bearer s3cret"),
        ('kind = "header"\nname = "api-key"\nvalue = "k {setting.key}"', "Api-Key", "k s3cret"),
    ],
)  # fmt: skip
def test_credentials_go_where_the_description_says(
    system: Scripted, auth: str, name: str, value: str
) -> None:
    text = f'[server]\nsettings = ["user", "key"]\n[auth]\n{auth}\n{FIND}'

    list(described(system, text, user="admin", key="s3cret").find(KARI))

    assert [call.headers.get(name) for call in system.asked] == [value]


def test_a_key_in_the_query_is_in_no_log_line(system: Scripted) -> None:
    text = '[server]\nsettings = ["key"]\n[auth]\nkind = "query"\nname = "token"\n'
    text += f'value = "{{setting.key}}"\n{FIND}'
    with structlog.testing.capture_logs() as lines:
        list(described(system, text, key="s3cret").find(KARI))

    assert system.asked[0].query["token"] == ["s3cret"]
    assert lines
    assert "s3cret" not in repr(lines)


# Pages


def by_page(call: Call) -> Reply:
    page = int(call.one("page"))
    return rows(*["kari@post.example"] * (2 if page < 3 else 1))


def by_offset(call: Call) -> Reply:
    left = max(0, 5 - int(call.one("offset")))
    return rows(*["kari@post.example"] * min(2, left), total=5)


def by_cursor(call: Call) -> Reply:
    after = int(call.one("after", "0"))
    return rows("kari@post.example", next=str(after + 1) if after < 4 else None)


def by_link(call: Call) -> Reply:
    page = int(call.one("page", "1"))
    link = f"https://elsewhere.example/other?page={page + 1}" if page < 5 else None
    return rows("kari@post.example", next=link)


def by_header(call: Call) -> Reply:
    page = int(call.one("page", "1"))
    links = f'<https://elsewhere.example/x?page=1>; rel="first", <?page={page + 1}>; rel="next"'
    reply = rows("kari@post.example")
    return Reply(200, reply.content, {"Link": links if page < 5 else ""})


@pytest.mark.parametrize(
    ("paging", "answers", "calls"),
    [
        ('{ kind = "page", parameter = "page", size = 2 }', by_page, 3),
        ('{ kind = "offset", parameter = "offset", size = 2, total = "/total" }', by_offset, 3),
        ('{ kind = "cursor", parameter = "after", cursor = "/next" }', by_cursor, 5),
        ('{ kind = "next-link", cursor = "/next" }', by_link, 5),
        ('{ kind = "link-header" }', by_header, 5),
    ],
    ids=["page", "offset", "cursor", "next-link", "link-header"],
)
def test_every_kind_of_pages_is_read_to_its_end(
    system: Scripted, paging: str, answers: Answers, calls: int
) -> None:
    def unlike(call: Call) -> Reply:
        """Every row with an id of its own: pages that are alike have no end."""
        reply = answers(call)
        assert isinstance(reply.content, dict)
        found = [{**row, "id": f"{len(system.asked)}-{row['id']}"} for row in reply.content["rows"]]
        return Reply(200, {**reply.content, "rows": found}, reply.headers)

    system.answers = unlike
    text = FIND.replace("rows =", f"paging = {paging}\nrows =")

    assert len(list(described(system, text).find(KARI))) == 5
    assert len(system.asked) == calls
    assert {call.path for call in system.asked} == {"/people"}


# Whose it is


def test_a_near_match_is_nobody(system: Scripted) -> None:
    """What a system takes for alike is not: only what was proven makes a strong match."""
    system.answers = lambda call: rows("KARI@post.example", "kari+x@post.example", "k@post.example")

    (record,) = described(system, FIND).find(KARI)

    assert (record.key, record.match) == ("0", Match.VERIFIED_IDENTIFIER)
    (said,) = described(system, FIND).find(somebody(unproven=("kari@post.example",)))
    assert said.match is Match.UNVERIFIED_IDENTIFIER


@pytest.mark.parametrize(
    "body",
    [
        {"rows": [{"id": 1}]},
        {"rows": [{"email": "kari@post.example"}]},
        {"rows": [{"id": {}, "email": "kari@post.example"}]},
        {"rows": [{"id": 1, "email": {"is": "kari@post.example"}}]},
        {"rows": ["kari@post.example"]},
        {"rows": {"id": 1}},
        {"people": []},
        {"rows": [{"id": 1, "email": "x" * 30_000}]},
        {"rows": [{"id": 1, "email": "kari@post.example", "more": 10**30}]},
    ],
)
def test_rows_that_make_no_sense_are_no_answer(system: Scripted, body: object) -> None:
    system.answers = lambda call: Reply(200, body)

    with pytest.raises(Garbled):
        list(described(system, FIND).find(KARI))


def test_an_answer_that_is_nested_without_end_is_refused(system: Scripted) -> None:
    system.answers = lambda call: Reply(200, b'{"rows":' + b"[" * 500 + b"]" * 500 + b"}")

    with pytest.raises(Garbled, match="deep"):
        list(described(system, FIND).find(KARI))


# Descriptions


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('by = "email"', 'by = "e-mail"'), "find.0.by"),
        (('path = "/people"', 'path = "people"'), "find.0.path: must begin with one /"),
        (('path = "/people"', 'path = "/people/{name}"'), "there is no {name}; known: email"),
        (('path = "/people"', 'path = "/people?x=1"'), "a query belongs into 'query'"),
        (("{email}", "{email|upper}"), "there is no filter 'upper'"),
        (("{email}", "{{ email }}"), "write a place as {name}"),
        (('matches = { email = ["/email"] }', ""), "'matches' is missing"),
        (('matches = { email', "matches = { birth-date"), "shared by too many people"),
        (('key = "/id"', 'key = "id"'), "find.0.record.key"),
        (('rows = "/rows"', 'rowz = "/rows"'), "find.0.rowz"),
        (('rows = "/rows"', 'paging = { kind = "page" }'), "needs 'parameter'"),
        (('title = "system"', "title ="), "is no TOML"),
    ],
)  # fmt: skip
def test_a_wrong_description_is_refused_with_the_place(change: tuple[str, str], said: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        read_description((HEAD + FIND).replace(*change), "system.toml")

    assert said in str(refused.value)
    assert "system.toml" in str(refused.value)


def test_a_file_of_the_operators_own_is_read(system: Scripted, tmp_path: Path) -> None:
    file = tmp_path / "system.toml"
    file.write_text(HEAD + '[server]\nsettings = ["key"]\n' + FIND)
    options = {"description": str(file), "url": system.url}

    with pytest.raises(Misconfigured, match="'key'"):
        build("http", options)
    assert list(build("http", options | {"key": "k"}).find(KARI)) == []
    with pytest.raises(Misconfigured, match="cannot be read"):
        build("http", options | {"description": str(tmp_path / "none.toml")})


@pytest.mark.parametrize("name", shipped())
def test_letters_and_desk_have_words_for_what_comes_described(
    name: str, words: Mapping[str, Mapping[str, Any]]
) -> None:
    description = shipped_as(name)
    ways = [*description.erase.values(), *description.anonymise.values()]
    rules = [rule for way in ways for deed in way.deeds for rule in deed.outcomes]
    rules += [rule for way in ways for rule in way.before]
    meanings = [*rules, *(way.always for way in ways if way.always is not None)]
    left = [one for meaning in meanings for one in meaning.residuals]

    assert {one.what for one in left} <= set(words["letters"]["residual_what"])
    assert {one.why for one in left} <= set(words["letters"]["residual_why"])
    assert {one.what for one in meanings if one.what} <= set(words["desk"]["waits"])


@pytest.fixture(scope="module")
def words() -> Mapping[str, Mapping[str, Any]]:
    letters = Path(services.__file__).parent / "letter_texts/en.toml"
    desk = Path(adapters.inbound.web.__file__).parent / "texts/en/desk.toml"
    return {
        "letters": tomllib.loads(letters.read_text(encoding="utf-8")),
        "desk": tomllib.loads(desk.read_text(encoding="utf-8")),
    }
