"""The pages: the desk for staff, and what the person who asked sees; whole without any script."""

from __future__ import annotations

from fastapi import FastAPI

from adapters.inbound.web import (
    account,
    admin,
    admin_deliveries,
    admin_people,
    admin_profiles,
    admin_replays,
    admin_systems,
    admin_tokens,
    all_cases,
    answer,
    board,
    breach_pages,
    case,
    case_steps,
    clock_steps,
    cover_steps,
    errand_pages,
    errand_steps,
    evidence_pages,
    export_steps,
    findings,
    folder_steps,
    inbox,
    invited,
    keeping_steps,
    kept,
    letter_steps,
    letter_writing,
    looks_pages,
    mistake_pages,
    my_tasks,
    outbox,
    people_steps,
    portal,
    portal_follow,
    prove,
    provider_sign_in,
    recipient_steps,
    record_steps,
    rights_steps,
    search,
    sign_in,
    staff,
    stop,
    task_steps,
    timeline_pages,
    transfer_steps,
    triage_steps,
    wish_steps,
    worklist,
)
from adapters.inbound.web.assets import Assets
from adapters.inbound.web.board_memory import Remembered

MODULES = (
    sign_in,
    provider_sign_in,
    invited,
    account,
    admin,
    admin_people,
    admin_profiles,
    admin_replays,
    admin_deliveries,
    admin_systems,
    admin_tokens,
    looks_pages,
    worklist,
    inbox,
    all_cases,
    search,
    case,
    case_steps,
    triage_steps,
    export_steps,
    findings,
    letter_writing,
    folder_steps,
    letter_steps,
    my_tasks,
    breach_pages,
    mistake_pages,
    clock_steps,
    people_steps,
    cover_steps,
    record_steps,
    task_steps,
    errand_steps,
    timeline_pages,
    evidence_pages,
    transfer_steps,
    recipient_steps,
    rights_steps,
    wish_steps,
    keeping_steps,
    kept,
    answer,
    errand_pages,
    prove,
    portal,
    portal_follow,
    stop,
    staff,
    outbox,
    board,
)


def add_pages(app: FastAPI) -> None:
    """Put every page into an application.

    `app.state.demo_token` is the token that a demonstration signs everybody in with; anywhere
    else there is none.
    """
    app.state.demo_token = None
    app.state.figures = Remembered()
    for module in MODULES:
        app.include_router(module.router)
    app.mount("/static", Assets(), name="static")
