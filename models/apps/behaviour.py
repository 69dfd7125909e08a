"""How an application behaves where its manifest doesn't say: defaults, and annotations that set others.

The annotations stand on the pod template: `chaoskube.dev/listen-after: 2s`, `chaoskube.dev/drain: 10s`,
`chaoskube.dev/ignore-sigterm: "true"`, `chaoskube.dev/work: 50ms`. `assumptions` says what a story must
print because nobody set it. Called by `apps/web.py` and by whoever loads a manifest.
"""

from collections.abc import Callable, Mapping
from difflib import get_close_matches

from attrs import frozen

from chaoskube.models.constants import APP_LISTENS_AFTER, APP_WORK
from chaoskube.models.objects import PodTemplateSpec, evolve
from chaoskube.sim import UsageError, seconds

PREFIX = "chaoskube.dev/"


@frozen(kw_only=True)
class Behaviour:
    """What the simulated application does."""

    listen_after_ns: int = APP_LISTENS_AFTER
    drain_ns: int = 0
    ignore_sigterm: bool = False
    work_ns: int = APP_WORK


def behaviour_of(annotations: Mapping[str, str] | None, where: str) -> Behaviour:
    """The behaviour that annotations ask for. Raises UsageError naming `where`, annotation and value."""
    behaviour = Behaviour()
    for key in sorted(annotations or {}):
        if not key.startswith(PREFIX):
            continue
        name = key.removeprefix(PREFIX)
        if name not in _READERS:
            near = get_close_matches(name, list(_READERS), n=1)
            known = ", ".join(PREFIX + one for one in _READERS)
            hint = f"did you mean {PREFIX}{near[0]}?" if near else f"there are {known}"
            raise UsageError(f"{where}: annotation {key} is unknown; {hint}")
        text = (annotations or {})[key]
        field, read = _READERS[name]
        behaviour = evolve(behaviour, **{field: read(text, f"{where}: annotation {key}: {text!r}")})
    return behaviour


def assumptions(template: PodTemplateSpec, name: str) -> tuple[str, ...]:
    """What a story has to print as assumed about the pods of this template, one line or none."""
    annotations = template.metadata.annotations
    behaviour_of(annotations, name)
    guessed, unset = [], []
    if PREFIX + "listen-after" not in annotations:
        guessed.append("listens 2 s after its container starts")
        unset.append("listen-after")
    if PREFIX + "drain" not in annotations and PREFIX + "ignore-sigterm" not in annotations:
        guessed.append("exits at once on SIGTERM")
        unset.append("drain")
    if template.spec.init_containers:
        guessed.append("its init containers succeed at once")
    if not guessed:
        return ()
    hint = f" (if not, set {', '.join(PREFIX + one for one in unset)} on its pods)" if unset else ""
    return (f"{name}: {', '.join(guessed)}{hint}",)


def _duration(text: str, where: str) -> int:
    try:
        return seconds(text)
    except UsageError:
        raise UsageError(f"{where} is not a duration; write it like 500ms, 2.5s or 1m30s") from None


def _truth(text: str, where: str) -> bool:
    if text not in ("true", "false"):
        raise UsageError(f'{where} is neither "true" nor "false"')
    return text == "true"


_READERS: dict[str, tuple[str, Callable[[str, str], int | bool]]] = {
    "listen-after": ("listen_after_ns", _duration),
    "drain": ("drain_ns", _duration),
    "ignore-sigterm": ("ignore_sigterm", _truth),
    "work": ("work_ns", _duration),
}
