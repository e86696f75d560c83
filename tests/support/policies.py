"""The five shipped profiles under the short names that requirements use: AK, AO, GK, MU, OK."""

from __future__ import annotations

from adapters.profiles import load_profile, shipped_profiles
from domain.policy import Profile

POLICIES: dict[str, Profile] = {
    short: load_profile(path)
    for short, (_, path) in zip(
        ("AK", "AO", "GK", "MU", "OK"), sorted(shipped_profiles().items()), strict=True
    )
}
