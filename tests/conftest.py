"""What holds for all tests."""

from hypothesis import settings

# No test is one of speed: machines are noisy.
settings.register_profile("nlpserve", deadline=None)
settings.load_profile("nlpserve")
