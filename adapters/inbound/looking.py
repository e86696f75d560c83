"""What somebody of the controller reads personal data for, as every door takes it."""

from __future__ import annotations

from domain.vocabulary import Purpose as Purpose
