"""Local accounts: two factors, each code once, and answers that do not tell who has one."""

from __future__ import annotations

import pyotp
import pytest
from argon2 import PasswordHasher

from adapters.outbound.accounts import Accounts, WrongCode
from adapters.outbound.database import Database
from adapters.outbound.passwords import PasswordRefused, Passwords, require_good
from adapters.outbound.staff import PostgresStaff
from adapters.outbound.throttle import Throttle
from domain.errors import DomainError

GOOD = "hest batteri stift riktig"
KEY = b"k" * 32


class Now:
    """Half a minute is a step."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def __call__(self) -> float:
        return self.at

    def next_step(self) -> None:
        self.at += 30


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def accounts(database: Database, now: Now) -> Accounts:
    PostgresStaff(database).know("ida", "Ida Testesen")
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    return Accounts(database, KEY, Throttle(database, KEY), Passwords(hasher), now)


def code(second_factor: str, now: Now) -> str:
    return pyotp.TOTP(second_factor).at(int(now.at))


@pytest.fixture
def made(accounts: Accounts, now: Now) -> tuple[str, tuple[str, ...]]:
    """Ida has an account: her second factor, and her recovery codes."""
    secret = accounts.invite("ida", by="eva")
    invitation = accounts.invited(secret)
    assert invitation is not None
    codes = accounts.accept(secret, password=GOOD, code=code(invitation.second_factor, now))
    now.next_step()
    return invitation.second_factor, codes


def enter(
    accounts: Accounts,
    said: str,
    *,
    name: str = "ida",
    password: str = GOOD,
    source: str = "192.0.2.1",
) -> str | None:
    return accounts.sign_in(name, password, said, source=source)


def test_both_factors_open_the_account(
    accounts: Accounts, made: tuple[str, tuple[str, ...]], now: Now
) -> None:
    assert enter(accounts, code(made[0], now), name=" Ida ".strip()) == "ida"


def test_one_factor_does_not(
    accounts: Accounts, made: tuple[str, tuple[str, ...]], now: Now
) -> None:
    assert enter(accounts, code(made[0], now), password="hest batteri stift galt") is None
    assert enter(accounts, "000000") is None
    assert enter(accounts, "") is None
    assert enter(accounts, code(made[0], now), name="nobody") is None


def test_a_code_counts_once(
    accounts: Accounts, made: tuple[str, tuple[str, ...]], now: Now
) -> None:
    said = code(made[0], now)
    assert enter(accounts, said) == "ida"
    assert enter(accounts, said) is None

    before = code(made[0], now)
    now.next_step()
    assert enter(accounts, before) is None  # still in its window, but an older step than the last
    assert enter(accounts, code(made[0], now)) == "ida"


def test_a_recovery_code_stands_in_once(
    accounts: Accounts, made: tuple[str, tuple[str, ...]]
) -> None:
    first, second, *_ = made[1]
    assert enter(accounts, first) == "ida"
    assert enter(accounts, first) is None
    assert enter(accounts, second.lower().replace("-", " ")) == "ida"
    assert accounts.codes_left("ida") == len(made[1]) - 2


def test_an_invitation_is_used_once_and_by_its_own_code(accounts: Accounts, now: Now) -> None:
    secret = accounts.invite("ida", by="eva")
    invitation = accounts.invited(secret)
    assert invitation is not None
    with pytest.raises(WrongCode):
        accounts.accept(secret, password=GOOD, code="000000")
    accounts.accept(secret, password=GOOD, code=code(invitation.second_factor, now))

    assert accounts.invited(secret) is None
    with pytest.raises(DomainError, match="ended"):
        accounts.accept(secret, password=GOOD, code=code(invitation.second_factor, now))


def test_a_newer_invitation_ends_the_older(accounts: Accounts) -> None:
    first = accounts.invite("ida", by="eva")
    second = accounts.invite("ida", by="eva")

    assert accounts.invited(first) is None
    assert accounts.invited(second) is not None


def test_an_invitation_ends_by_itself(accounts: Accounts, database: Database) -> None:
    secret = accounts.invite("ida", by="eva")
    database.fetch(
        "UPDATE trettio.invitations SET expires_at = clock_timestamp() RETURNING staff_id"
    )

    assert accounts.invited(secret) is None


def test_a_lost_device_is_replaced_through_a_colleague(
    accounts: Accounts, made: tuple[str, tuple[str, ...]], now: Now
) -> None:
    with pytest.raises(DomainError, match="ask a colleague"):
        accounts.invite("ida", by="ida")
    invitation = accounts.invited(secret := accounts.invite("ida", by="eva"))
    assert invitation is not None
    accounts.accept(secret, password=GOOD, code=code(invitation.second_factor, now))
    now.next_step()

    assert enter(accounts, code(made[0], now)) is None
    assert enter(accounts, made[1][0]) is None
    assert enter(accounts, code(invitation.second_factor, now)) == "ida"


def test_nobody_unknown_is_invited(accounts: Accounts) -> None:
    with pytest.raises(DomainError, match="add the person first"):
        accounts.invite("nobody", by="eva")


def test_whoever_fails_waits_and_nobody_is_shut_out(
    accounts: Accounts, made: tuple[str, tuple[str, ...]], now: Now, database: Database
) -> None:
    for _ in range(5):
        assert enter(accounts, "000000") is None
    assert enter(accounts, code(made[0], now)) is None  # right, and too soon
    assert enter(accounts, code(made[0], now), source="198.51.100.7") == "ida"  # from elsewhere

    database.fetch(
        "UPDATE trettio.sign_in_failures SET failed_at = failed_at - interval '16 minutes'"
        " RETURNING about"
    )
    now.next_step()
    assert enter(accounts, code(made[0], now)) == "ida"


def test_an_unknown_name_waits_alike_and_costs_the_same_work(
    accounts: Accounts, made: tuple[str, tuple[str, ...]], database: Database
) -> None:
    asked: list[str | None] = []
    passwords = accounts._passwords
    holds = passwords.holds

    def counted(password: str, known: str | None) -> bool:
        asked.append(known)
        return holds(password, known)

    passwords.holds = counted  # type: ignore[method-assign]
    for _ in range(6):
        enter(accounts, "000000", name="nobody", source="203.0.113.9")

    assert asked == [None] * 5  # the sixth was too soon, as it is for a name that is known
    kept = database.fetch("SELECT about::text FROM trettio.sign_in_failures")
    assert not [row for row in kept if b"nobody".hex() in row["about"]]


def test_secrets_are_not_at_rest(
    accounts: Accounts, made: tuple[str, tuple[str, ...]], database: Database
) -> None:
    rows = [
        *database.fetch("SELECT a::text AS all FROM trettio.accounts a"),
        *database.fetch("SELECT r::text AS all FROM trettio.recovery_codes r"),
        *database.fetch("SELECT i::text AS all FROM trettio.invitations i"),
    ]
    text = "".join(row["all"] for row in rows)
    for secret in (GOOD, made[0], *made[1]):
        assert secret not in text
        assert secret.encode().hex() not in text
    assert "$argon2id$" in text


def test_a_password_is_changed_with_both_factors(
    accounts: Accounts, made: tuple[str, tuple[str, ...]], now: Now
) -> None:
    new = "nye ord som ingen gjetter"
    facts = {"new": new, "name": "Ida", "source": "192.0.2.1"}
    assert not accounts.change_password("ida", old="galt", code=code(made[0], now), **facts)
    assert accounts.change_password("ida", old=GOOD, code=code(made[0], now), **facts)
    now.next_step()

    assert enter(accounts, code(made[0], now)) is None
    assert enter(accounts, code(made[0], now), password=new) == "ida"


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("kort", "short"),
        ("elleve tegn", "short"),
        ("x" * 257, "long"),
        ("Sommer2026!!", "common"),
        ("123456789012", "common"),
        ("aaaaaaaaaaaaaa", "common"),
        ("Testesen202627", "common"),
        ("correcthorsebatterystaple", "common"),
    ],
)
def test_a_password_that_is_short_or_easily_guessed_is_refused(password: str, reason: str) -> None:
    with pytest.raises(PasswordRefused) as refused:
        require_good(password, "ida", "Ida Testesen")
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "password", [GOOD, "åtte små og grønne øyer", "7391 8264 0518", "x" * 9 + "yzw"]
)
def test_nothing_else_is_asked_of_a_password(password: str) -> None:
    require_good(password, "ida", "Ida Testesen")


def test_one_password_in_two_ways_of_writing_is_one(accounts: Accounts) -> None:
    passwords = accounts._passwords
    assert passwords.holds("o\u0308st i en blå kasse", passwords.hashed("öst i en blå kasse"))
