"""One-time codes: five tries, an end, and nothing at rest that would open anything."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from adapters.outbound.codes import PostgresCodes
from adapters.outbound.database import Database
from services.ports import CodeCheck

SOON = timedelta(minutes=30)
KEY = bytes(range(32))


@pytest.fixture
def codes(database: Database) -> PostgresCodes:
    return PostgresCodes(database, KEY)


def issue(
    codes: PostgresCodes, database: Database, subject: UUID, valid_for: timedelta = SOON
) -> str:
    code, writes = codes.issue(subject, valid_for=valid_for)
    database.run(*writes)
    return code


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08d}"


def test_the_right_code_stays_right_until_it_is_used(
    codes: PostgresCodes, database: Database
) -> None:
    subject = uuid4()
    code = issue(codes, database, subject)

    assert codes.check(subject, code) is CodeCheck.RIGHT
    assert codes.check(subject, f" {code[:4]} {code[4:]}\n") is CodeCheck.RIGHT
    database.run(codes.use(subject))
    assert codes.check(subject, code) is CodeCheck.SPENT


def test_the_fifth_wrong_one_is_the_last(codes: PostgresCodes, database: Database) -> None:
    subject = uuid4()
    code = issue(codes, database, subject)

    answers = [codes.check(subject, wrong(code)) for _ in range(5)]

    assert answers == [CodeCheck.WRONG] * 4 + [CodeCheck.SPENT]
    assert codes.check(subject, code) is CodeCheck.SPENT


def test_a_code_has_an_end(codes: PostgresCodes, database: Database) -> None:
    subject = uuid4()
    code = issue(codes, database, subject, timedelta(seconds=-1))

    assert codes.check(subject, code) is CodeCheck.EXPIRED


def test_a_new_code_ends_the_earlier_one(codes: PostgresCodes, database: Database) -> None:
    subject = uuid4()
    earlier = issue(codes, database, subject)
    newer = issue(codes, database, subject)

    assert codes.check(subject, earlier) is CodeCheck.WRONG
    assert codes.check(subject, newer) is CodeCheck.RIGHT


def test_a_code_opens_its_own_subject_only(codes: PostgresCodes, database: Database) -> None:
    code = issue(codes, database, uuid4())

    assert codes.check(uuid4(), code) is CodeCheck.WRONG


@pytest.mark.parametrize(
    "typed", ["", "kode", "٠١٢٣٤٥٦٧", "1" * 100_000, "\x00", "１２３４５６７８"]
)
def test_whatever_is_typed_is_only_wrong(
    codes: PostgresCodes, database: Database, typed: str
) -> None:
    subject = uuid4()
    issue(codes, database, subject)

    assert codes.check(subject, typed) is CodeCheck.WRONG


def test_only_what_is_saved_works(codes: PostgresCodes) -> None:
    subject = uuid4()
    code, _ = codes.issue(subject, valid_for=SOON)

    assert codes.check(subject, code) is CodeCheck.WRONG


def test_the_code_is_not_at_rest(codes: PostgresCodes, database: Database) -> None:
    code = issue(codes, database, uuid4())

    (row,) = database.fetch("SELECT codes::text AS all FROM trettio.codes AS codes")
    assert code not in row["all"]
    assert code.encode().hex() not in row["all"]


def test_without_the_key_the_table_tells_nothing(codes: PostgresCodes, database: Database) -> None:
    subject = uuid4()
    code = issue(codes, database, subject)

    assert PostgresCodes(database, bytes(32)).check(subject, code) is CodeCheck.WRONG
    assert codes.check(subject, code) is CodeCheck.RIGHT


def test_a_code_of_version_0_1_still_opens(codes: PostgresCodes, database: Database) -> None:
    subject, salt = uuid4(), bytes(16)
    code = issue(codes, database, subject)
    earlier = hashlib.scrypt(code.encode(), salt=salt, n=2**12, r=8, p=1, dklen=32)
    database.fetch("UPDATE trettio.codes SET code_hash = %s, salt = %s", [earlier, salt])

    assert codes.check(subject, wrong(code)) is CodeCheck.WRONG
    assert codes.check(subject, code) is CodeCheck.RIGHT


def test_how_many_were_issued_lately_is_known(codes: PostgresCodes, database: Database) -> None:
    subject = uuid4()
    for _ in range(3):
        issue(codes, database, subject)
    database.fetch("UPDATE trettio.codes SET created_at = now() - interval '2 hours' WHERE id = 1")

    assert codes.issued(subject, within=timedelta(hours=1)) == 2
    assert codes.issued(uuid4(), within=timedelta(hours=1)) == 0
