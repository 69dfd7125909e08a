"""delay-stream: one client's stream of one kind is late: the delayed watch.

A stream is named `label@from>to` by the subject (`watch/pods@apiserver-0>controller-manager-0`), so that
one process's view of one kind falls behind while everything else flows. Order is kept.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import duration, target
from chaoskube.faults import stream_of
from chaoskube.sim import LateStream


@fault("delay-stream", weight=5)
@frozen(kw_only=True)
class DelayStream(Action):
    """Deliver the messages of one labelled stream later by `extra`."""

    stream: str = target("stream")
    extra: int = duration("0.1s", "2s", "60s")
    lasting: int = duration("0.5s", "20s", "120s")

    def ready(self, stage: Stage) -> None:
        stream_of(self.stream)

    def do(self, stage: Stage) -> None:
        late = LateStream(stream_of(self.stream), self.extra)
        stage.defer(stage.world.network.rule(late).heal)

    def lasts(self) -> int:
        return self.lasting
