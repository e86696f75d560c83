"""Every story by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from adapters.demo.past import stories, today
from adapters.demo.past.living import Life

Story = Callable[[Life], None]

STORIES: Mapping[str, Story] = {
    "plain": stories.plain,
    "paused": stories.paused,
    "silent": stories.silent,
    "extended": stories.extended,
    "outage": stories.outage,
    "bounced": stories.bounced,
    "unopened": stories.unopened,
    "withdrawn": stories.withdrawn,
    "reclassified": stories.reclassified,
    "mistyped": stories.mistyped,
    "refused": stories.refused,
    "excessive": stories.excessive,
    "declined": lambda life: stories.excessive(life, agrees=False),
    "represented": stories.represented,
    "claimed": stories.claimed,
    "no-request": stories.no_request,
    "unproven": today.unproven,
    "unsearched": today.unsearched,
    "unjudged": today.unjudged,
    "unanswered": today.unanswered,
    "failing": today.failing,
    "proposed": today.proposed,
}
