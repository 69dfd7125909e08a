"""Compares Events as far as they are fixed: which reasons each object got, and what FailedScheduling says.

Names, counts and the number of Events are free (the real recorder coalesces them by time). The messages of
FailedScheduling are strict, in their order, repeats left out. Who calls it: `compare`.
"""

from __future__ import annotations

import re

from .binding import Binding
from .difference import Difference
from .history import Run
from .recording import Watched
from .span import Span
from .trees import text

Key = tuple[str, str, str]
_ASSIGNED = re.compile(r'already assigned to node "[^"]*"')


def compare_events(left: Run, right: Run, binding: Binding, span: Span) -> list[Difference]:
    """A difference for each reason that only one run gives an object, and for each other message."""
    ours, theirs = _by_object(left, None), _by_object(right, binding)
    found: list[Difference] = []
    for key in {**ours, **theirs}:
        if key not in theirs and not span.right_may_lack(ours[key][0].t):
            found.append(Difference(what=f"Event {_called(key)} is missing", left=ours[key][0]))
        elif key not in ours and not span.left_may_lack(theirs[key][0].t):
            found.append(
                Difference(what=f"Event {_called(key)} is not in the recording", right=theirs[key][0])
            )
        elif key[0] == "FailedScheduling" and key in ours and key in theirs:
            found += _compare_messages(key, ours[key], theirs[key], span, binding)
    return found


def _by_object(run: Run, binding: Binding | None) -> dict[Key, list[Watched]]:
    found: dict[Key, list[Watched]] = {}
    for commit in run.commits:
        if commit.kind == "Event" and commit.type != "DELETED":
            about = text(commit.object, "involvedObject", "name") or text(commit.object, "regarding", "name")
            kind = text(commit.object, "involvedObject", "kind") or text(commit.object, "regarding", "kind")
            if binding is not None:
                about = binding.words_to_left(about)
            found.setdefault((text(commit.object, "reason"), kind, about), []).append(commit)
    return found


def _compare_messages(
    key: Key, ours: list[Watched], theirs: list[Watched], span: Span, binding: Binding
) -> list[Difference]:
    left, right = _distinct(ours), _distinct(theirs)
    for at in range(max(len(left), len(right))):
        step = left[at] if at < len(left) else None
        here = right[at] if at < len(right) else None
        if step is None and here is not None and span.left_may_lack(here.t):
            return []
        if here is None and step is not None and span.right_may_lack(step.t):
            return []
        if step is None or here is None or _message(step) != binding.words_to_left(_message(here)):
            said = f"says {_quoted(step)}, here {_quoted(here)}"
            return [Difference(what=f"Event {_called(key)} {said}", left=step, right=here)]
    return []


def _distinct(commits: list[Watched]) -> list[Watched]:
    kept: list[Watched] = []
    for commit in commits:
        if not kept or _message(kept[-1]) != _message(commit):
            kept.append(commit)
    return kept


def _message(commit: Watched) -> str:
    """What it says; which of several equal nodes a pod was put on is free."""
    said = text(commit.object, "message") or text(commit.object, "note")
    return _ASSIGNED.sub("already assigned to <a node>", said)


def _quoted(commit: Watched | None) -> str:
    return "nothing" if commit is None else repr(_message(commit))


def _called(key: Key) -> str:
    return f"{key[0]} of {key[1]}/{key[2]}"
