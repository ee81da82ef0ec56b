"""What holds for every test: hypothesis sets no clock, for the machine may be busy."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("petcore", deadline=None)
settings.load_profile("petcore")
