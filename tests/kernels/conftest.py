"""The laws are tested without a deadline, so that they do not fail on a busy machine."""

from hypothesis import settings

settings.register_profile("laws", deadline=None)
settings.load_profile("laws")
