"""What holds for every test: which examples Hypothesis tries."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Examples are drawn at the pace of the machine, which says nothing about us; the other two are about long bodies, which
# are meant.
UNHURRIED = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
# The gate draws the same examples on every run: what is found here is found by everybody. `make soak` looks for new ones.
settings.register_profile("gate", UNHURRIED, derandomize=True, database=None, print_blob=False)
settings.register_profile("random", UNHURRIED, derandomize=False, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))
