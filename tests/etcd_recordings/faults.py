"""What a recording did to members' processes (`control`), done to ours.

SIGKILL is a crash that loses nothing: the kernel still writes what a dead process had handed to it. SIGSTOP and
SIGCONT are a pause and its end; SIGTERM lets a member give its leadership away first.
"""

from __future__ import annotations

from chaoskube.models.etcd.replica import Replica
from chaoskube.sim import Process, Unsynced
from tests.golden.recording import Control


def inflict(control: Control, member: Process, replica: Replica) -> None:
    """Do to `member` what was done to the recorded one."""
    if control.op == "kill":
        member.crash(unsynced=Unsynced.KEPT)
    elif control.op == "pause":
        member.pause()
    elif control.op == "continue":
        member.resume()
    elif control.op == "start":
        member.start()
    elif control.op == "stop":
        replica.maintenance.stop()
    else:
        raise ValueError(f"a member cannot be told to {control.op!r}")
