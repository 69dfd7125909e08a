"""The handle of a fault: whoever did something to a link, a disk or a clock gets one, and heals it later."""

from __future__ import annotations

from collections.abc import Callable


class Disturbance:
    """A fault that is under way; `heal` takes it out. Healing twice does nothing."""

    def __init__(self, undo: Callable[[], None]) -> None:
        self._undo: Callable[[], None] | None = undo

    def heal(self) -> None:
        """Take the disturbance out."""
        undo, self._undo = self._undo, None
        if undo is not None:
            undo()
