"""delay-stream: one client's stream of one kind is late: the delayed watch.

A stream is named `label@from>to` by the subject (`watch/pods@apiserver-0>controller-manager-0`), so that
one process's view of one kind falls behind while everything else flows. Order is kept.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import CannotApply, duration, target


@fault("delay-stream", weight=5)
@frozen(kw_only=True)
class DelayStream(Action):
    """Deliver the messages of one labelled stream later by `extra`."""

    stream: str = target("stream")
    extra: int = duration("0.1s", "2s", "60s")
    lasting: int = duration("0.5s", "20s", "120s")

    def parts(self) -> tuple[str, str, str]:
        """Sender, receiver and label."""
        label, at, ends = self.stream.partition("@")
        sender, arrow, receiver = ends.partition(">")
        if not (label and at and sender and arrow and receiver):
            raise CannotApply(f"{self.stream!r} must read label@sender>receiver (* is any process)")
        return sender, receiver, label

    def ready(self, stage: Stage) -> None:
        self.parts()

    def do(self, stage: Stage) -> None:
        sender, receiver, label = self.parts()
        stage.defer(stage.world.network.delay_stream(sender, receiver, label, self.extra).heal)

    def lasts(self) -> int:
        return self.lasting
