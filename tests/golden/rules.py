"""The rules that one run must keep by itself, whatever order things happened to take.

Each rule is a function from a run to what breaks it; a rule judges a run only by what that run's own watches
showed. `broken_rules` asks them all. Who calls it: `compare` (for the right run), the tests (for both).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .difference import Difference
from .history import Run
from .recording import Watched
from .rule_causes import effects_before_causes
from .rule_counts import wrong_deployment_counts, wrong_replica_set_counts
from .rule_nodes import wrong_nodes
from .rule_scales import wrong_scales
from .rule_slices import wrong_slices
from .rule_victims import wrong_victims
from .span import Span

Rule = Callable[[Run], Iterable[Difference]]
RULES: tuple[Rule, ...] = (
    effects_before_causes,
    wrong_replica_set_counts,
    wrong_deployment_counts,
    wrong_scales,
    wrong_slices,
    wrong_victims,
    wrong_nodes,
)


def broken_rules(run: Run, span: Span) -> list[Difference]:
    """What breaks a rule within what is compared."""
    found = [difference for rule in RULES for difference in rule(run)]
    return [difference for difference in found if not span.beyond(_time(difference.right))]


def _time(record: object) -> float:
    return record.t if isinstance(record, Watched) else 0.0
