"""The whole tree of exceptions, on one screen.

`UsageError` is yours (an input that can be mended), `ModelBug` is ours, `Diverged` belongs to replay,
`Refused` and `Unsure` are a client's two answers that are not success, `DiskError` is the operating system's
answer to a write, `LifeEnded` unwinds the code of a process that was killed in the middle of it, and `WorldEnded` is a run that cannot go on, with the reason. Every message says what is wrong, where, and what would be right.
"""

from __future__ import annotations


class ChaoskubeError(Exception):
    """The root of everything that chaoskube raises on purpose."""


class UsageError(ChaoskubeError):
    """The input is wrong: a manifest, a trace, an option, a call. One sentence, with the place."""


class ModelBug(ChaoskubeError):
    """The simulation broke a rule of its own; whatever it showed in this run is not to be believed."""


class Diverged(ChaoskubeError):
    """A replay left the recorded path."""


class Refused(ChaoskubeError):
    """A definite no: the request had no effect. `status` is the server's answer."""

    def __init__(self, status: object) -> None:
        super().__init__(str(status))
        self.status = status


class Unsure(ChaoskubeError):
    """Nobody knows whether the request took effect: the connection broke or time ran out."""


class TimedOut(Unsure):
    """No answer within the time allowed."""


class DiskError(ChaoskubeError):
    """The operating system answered a write with an error. Not caught, it ends the process, not the run."""


class DiskFull(DiskError):
    """No space left on device (ENOSPC); nothing was written."""


class LifeEnded(BaseException):
    """The process that runs this code was killed just now: what would come next in it doesn't happen."""


class WorldEnded(ChaoskubeError):
    """The world can't go on. Each subclass is an outcome of a run, never a hang."""


class ComponentError(WorldEnded):
    """A component raised. `process` names it; the original exception is the `__cause__`."""

    def __init__(self, process: str, cause: BaseException) -> None:
        super().__init__(f"{process} raised {type(cause).__name__}: {cause}")
        self.process = process


class Livelock(WorldEnded):
    """Very many things happened at one virtual instant and time never moved on."""


class Stuck(WorldEnded):
    """Nothing can ever run again: no timer, no message and no runnable task is left."""


class Blocked(WorldEnded):
    """Code held the interpreter without giving way to the virtual clock."""
