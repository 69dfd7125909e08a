"""A bell: many ring it, one task waits for it. Rings that nobody waited for are remembered as one.

Called by the kubelet's tasks, which wait for "something changed" instead of looking again and again.
"""

from chaoskube.sim import Process, Reply, TimedOut


class Bell:
    """One task's alarm; `wait` returns at once when it has rung since the last time."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._reply: Reply[None] | None = None
        self._has_rung = False

    def ring(self) -> None:
        """Wake the task, now or when it next waits."""
        self._has_rung = True
        if self._reply is not None:
            self._reply.set(None)

    async def wait(self, timeout_ns: int | None = None) -> bool:
        """Wait for a ring; False when `timeout_ns` passed without one."""
        if not self._has_rung:
            if timeout_ns is not None and timeout_ns <= 0:
                return False
            self._reply = self._process.reply()
            try:
                await self._reply.wait(timeout_ns)
            except TimedOut:
                pass
            finally:
                self._reply = None
        rang, self._has_rung = self._has_rung, False
        return rang
