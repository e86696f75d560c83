"""The Mailchimp double behaves as recorded traffic shows that the real one does."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3

from adapters.demo.doubles.mailchimp import KEY, MailchimpDouble, fingerprint_of

EMAIL = "Kari@post.example"
MEMBER = f"/lists/news/members/{fingerprint_of(EMAIL)}"


@pytest.fixture
def double() -> Iterator[MailchimpDouble]:
    with MailchimpDouble() as running:
        running.add_audience("news", "Newsletter")
        yield running


@pytest.fixture
def pool() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(
        headers=urllib3.make_headers(basic_auth=f"any:{KEY}"), maxsize=20
    ) as pool:
        yield pool


def call(
    pool: urllib3.PoolManager, double: MailchimpDouble, method: str, path: str, body: object = None
) -> tuple[int, Any, urllib3.BaseHTTPResponse]:
    sent = json.dumps(body) if body is not None else None
    response = pool.request(method, double.url + path, body=sent)
    return response.status, json.loads(response.data or b"null"), response


def test_archiving_keeps_everything_and_works_once(
    double: MailchimpDouble, pool: urllib3.PoolManager
) -> None:
    double.add_member("news", EMAIL, merge_fields={"FNAME": "Kari"})

    assert call(pool, double, "DELETE", MEMBER)[0] == 204
    status, member, _ = call(pool, double, "GET", MEMBER)
    assert (status, member["status"], member["merge_fields"]) == (
        200,
        "archived",
        {"FNAME": "Kari"},
    )
    status, problem, response = call(pool, double, "DELETE", MEMBER)
    assert (status, response.headers["Allow"]) == (405, "GET, PUT")
    assert problem["detail"].startswith("This list member cannot be removed.")


def test_a_permanent_deletion_forgets_and_refuses_the_return(
    double: MailchimpDouble, pool: urllib3.PoolManager
) -> None:
    double.add_member("news", EMAIL)

    assert call(pool, double, "POST", f"{MEMBER}/actions/delete-permanent")[0] == 204
    assert call(pool, double, "GET", MEMBER)[0] == 404
    assert call(pool, double, "POST", f"{MEMBER}/actions/delete-permanent")[0] == 404
    again = {"email_address": EMAIL, "status": "subscribed", "status_if_new": "subscribed"}
    for method, path in (("POST", "/lists/news/members"), ("PUT", MEMBER)):
        status, problem, _ = call(pool, double, method, path, again)
        assert (status, problem["title"]) == (400, "Forgotten Email Not Subscribed")


def test_an_import_does_not_wake_an_unsubscribed_member(
    double: MailchimpDouble, pool: urllib3.PoolManager
) -> None:
    double.add_member("news", EMAIL, status="unsubscribed")

    new = {"email_address": EMAIL, "status": "subscribed"}
    status, problem, _ = call(pool, double, "POST", "/lists/news/members", new)

    assert (status, problem["title"]) == (400, "Member Exists")
    assert call(pool, double, "GET", f"/lists/news/members/{EMAIL}")[1]["status"] == "unsubscribed"


def test_a_problem_carries_the_id_of_its_request(
    double: MailchimpDouble, pool: urllib3.PoolManager
) -> None:
    status, problem, response = call(pool, double, "GET", MEMBER)

    assert status == problem["status"] == 404
    assert response.headers["Content-Type"] == "application/problem+json; charset=utf-8"
    assert response.headers["X-Request-Id"] == problem["instance"]
    assert 'rel="describedBy"' in response.headers["Link"]


def test_without_the_key_nothing_is_told(double: MailchimpDouble) -> None:
    double.add_member("news", EMAIL)
    response = urllib3.request("GET", double.url + MEMBER)
    assert (response.status, b"post.example" in response.data) == (401, False)


def test_an_eleventh_connection_at_once_is_too_many(
    double: MailchimpDouble, pool: urllib3.PoolManager
) -> None:
    double.delay = 0.3
    with ThreadPoolExecutor(14) as threads:
        answers = list(threads.map(lambda _: call(pool, double, "GET", "/ping"), range(14)))

    assert Counter(status for status, _, _ in answers) == {200: 10, 429: 4}
    assert all("Retry-After" not in response.headers for _, _, response in answers)


def test_it_listens_to_this_machine_only(double: MailchimpDouble) -> None:
    assert double.url.startswith("http://127.0.0.1:")
    double.stop()
    with pytest.raises(RuntimeError, match="not been started"):
        _ = double.url
