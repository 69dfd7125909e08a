"""Hypothesis settings for scenarios: `chaos-quick`, `chaos`, `chaos-soak`.

Registered when Hypothesis is imported (an entry point of the group `hypothesis`), so that
`pytest --hypothesis-profile=chaos-soak` works; the hook registers and does nothing else. In CI Hypothesis
would run the same cases every time and keep no database: these profiles don't.
"""

from __future__ import annotations

EXAMPLES = {"chaos-quick": 30, "chaos": 100, "chaos-soak": 10_000}


def register() -> None:
    """Register the profiles; called by Hypothesis."""
    from hypothesis import HealthCheck, Phase, settings

    for name, examples in EXAMPLES.items():
        settings.register_profile(
            name,
            max_examples=examples,
            deadline=None,
            derandomize=False,
            print_blob=False,
            report_multiple_bugs=True,
            phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
