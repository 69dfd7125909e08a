"""The door for users' own controllers: a scenario of manifests with operators in it.

    from chaoskube.scenarios.operated import operated

    def test_tills_survive(chaos):
        chaos.hunt(operated("deploy/", operators=[reconcile]), invariants=[my_rule])

The manifests hold what would be applied to a real cluster: definitions, roles, custom objects. An operator is a value made by
`@operator` or `@reconciler` (`chaoskube.models.client.operator`). A trace names its file and its name in it, so that
`chaoskube replay` finds it again. See docs/operators.md.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

from attrs import asdict, evolve

from chaoskube.invariant import Invariant
from chaoskube.models.client.operator import Operator
from chaoskube.models.cluster import Cluster, Shape
from chaoskube.scenario import Scenario, Setup, scenario
from chaoskube.scenarios import manifests
from chaoskube.scenarios.operators.recreate_custom import RecreateCustom
from chaoskube.scenarios.operators.redeploy import Redeploy
from chaoskube.scenarios.operators.scale_custom import ScaleCustom
from chaoskube.sim import UsageError, World

NAME = "operated"
INSTALLED = "chaoskube."
LEADING = "leading-"
"""Before a kind of target: those of them that matter most."""
GROUPED = "."
"""What the name of a custom resource has and a built-in one hasn't."""


def operated(
    *paths: str | Path,
    operators: Sequence[Operator],
    shape: Shape | None = None,
    invariants: Iterable[Invariant] = (),
) -> Scenario:
    """A cluster with these manifests (files or folders) applied, in which these operators run."""
    wrong = [one for one in operators if not isinstance(one, Operator)]
    if wrong or not operators or not paths:
        said = f", not {wrong[0]!r:.80}" if wrong else ""
        raise UsageError(
            f"operated() needs paths of manifests, and operators made with @reconciler or @operator{said}"
        )
    read = manifests.read(tuple(str(path) for path in paths), None)
    if read is None:
        raise UsageError(f"{', '.join(map(str, paths))}: these are no manifests")
    made = _scenario({**read.setup, "operators": [reference_of(one) for one in operators]})
    if shape is not None:
        made = evolve(made, setup={**made.setup, "shape": asdict(shape)})
    names = ", ".join(one.name for one in operators)
    return evolve(
        made,
        doc=f"A cluster in which {names} looks after the objects in {', '.join(map(str, paths))}.",
        invariants=(*made.invariants, *invariants),
    )


@scenario(NAME, hidden=True)
def operated_scenario() -> Scenario:
    """What a trace of somebody's operator names; its setup carries the documents, and where the operator stands."""
    return _scenario({"shape": asdict(Shape()), "documents": [], "operators": []})


def _scenario(setup: Setup) -> Scenario:
    made = manifests.of_documents([], title="the objects in this trace")
    both = dict.fromkeys([*manifests.menu_of(setup), ScaleCustom, RecreateCustom, Redeploy])
    return evolve(made, name=NAME, setup=setup, build=build, menu=tuple(both))


class Operated(Cluster):
    """A cluster in which what concerns the operators matters most."""

    def targets(self, kind: str) -> tuple[str, ...]:
        """Of what leads: the replicas that work, then the others; what they watch, and the servers' caches of that.

        Custom objects come first: of these the operators alone know.
        """
        if not kind.startswith(LEADING):
            return super().targets(kind)
        wanted = kind.removeprefix(LEADING)
        own = self.replicas()
        if wanted == "process":
            return own
        if wanted == "question":
            return tuple(one for one in self.targets(wanted) if one.partition("@")[2].startswith(own))
        if wanted not in ("stream", "watch"):
            return super().targets(kind)
        known = self.targets(wanted)
        watches = [one for one in known if one.endswith(own)]
        labels = tuple(f"etcd-{one.partition('@')[0].partition('.')[0]}" for one in watches)
        found = (*watches, *(one for one in known if one.startswith(labels)))
        return tuple(sorted(found, key=lambda one: GROUPED not in one.partition("@")[0]))

    def replicas(self) -> tuple[str, ...]:
        """The processes of the operators, those that lead first."""
        prefixes = tuple(f"{one.name}-" for one in self.operators)
        leading = [name for holders in self.observer.leaders.values() for name in holders]
        names = [name for name in super().targets("process") if name.startswith(prefixes)]
        return tuple(sorted(names, key=lambda name: (name not in leading, name)))


def build(world: World, setup: Setup, *, make: type[Cluster] = Operated) -> Cluster:
    """The cluster of a setup, with its operators. Raises UsageError where the setup is not one."""
    references = setup.get("operators")
    if not isinstance(references, Sequence) or not all(isinstance(one, str) for one in references):
        raise UsageError("setup needs operators: a list of FILE:NAME")
    return manifests.build(world, setup, [load_operator(str(one)) for one in references], make=make)


# ---- where an operator stands


def reference_of(operator: Operator) -> str:
    """`module:name` of an installed operator, `path:name` of one in a file of the user's."""
    source = operator.source
    module, name = getattr(source, "__module__", ""), getattr(source, "__name__", "")
    if module.startswith(INSTALLED):
        return f"{module}:{name}"
    path = Path(inspect.getsourcefile(source) or "")  # type: ignore[arg-type]  # a class or a coroutine: what the decorators take
    try:
        path = path.relative_to(Path.cwd())
    except ValueError:
        pass
    return f"{path}:{name}"


def load_operator(reference: str) -> Operator:
    """The operator that a reference names."""
    place, _, name = reference.rpartition(":")
    module = importlib.import_module(place) if place.startswith(INSTALLED) else _module_at(place)
    found = getattr(module, name, None)
    if not isinstance(found, Operator):
        known = [key for key, value in vars(module).items() if isinstance(value, Operator)]
        raise UsageError(f"{place} has no operator {name!r}; it has {', '.join(known) or 'none'}")
    return found


def _module_at(place: str) -> ModuleType:
    path = Path(place)
    if not path.is_file():
        raise UsageError(f"{place}: there is no such file (an operator is looked for in it)")
    for module in tuple(sys.modules.values()):
        if getattr(module, "__file__", None) == str(path.resolve()):
            return module
    spec = importlib.util.spec_from_file_location(f"chaoskube_operator_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{place}: is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
