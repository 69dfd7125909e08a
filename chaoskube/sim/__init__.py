"""The deterministic world: what a model may use, and nothing else.

Knows no orchestrator. Imports nothing else of chaoskube.
"""

from trio import CancelScope

from .catalogue import Catalogue, load_all
from .clock import Clock, Timer
from .disk import Disk, DiskTimes, Rotten, Torn, Unsynced
from .disturbance import Disturbance
from .errors import (
    Blocked,
    ChaoskubeError,
    ComponentError,
    DiskError,
    DiskFull,
    Diverged,
    LifeEnded,
    Livelock,
    ModelBug,
    Refused,
    Stuck,
    TimedOut,
    Unsure,
    UsageError,
    WorldEnded,
)
from .events import (
    BitRotted,
    FaultEnded,
    FaultStarted,
    OperationEnded,
    OperationStarted,
    ProcessPanicked,
    ProcessSignalled,
    ProcessStarted,
    ProcessStopped,
)
from .host import Host
from .journal import Entry, Journal, Line, canonical
from .marks import reached
from .network import Address, LinkTimes, Listener, Network
from .process import Process, ProcessState, Reply
from .stream import Connection
from .stream_rules import FrozenStream, LateStream, StreamName, StreamRule
from .units import MICROSECOND, MILLISECOND, SECOND, seconds, show
from .world import World

__all__ = [
    "MICROSECOND",
    "MILLISECOND",
    "SECOND",
    "Address",
    "BitRotted",
    "Blocked",
    "CancelScope",
    "Catalogue",
    "ChaoskubeError",
    "Clock",
    "ComponentError",
    "Connection",
    "Disk",
    "DiskError",
    "DiskFull",
    "DiskTimes",
    "Disturbance",
    "Diverged",
    "Entry",
    "FaultEnded",
    "FaultStarted",
    "FrozenStream",
    "Host",
    "Journal",
    "LateStream",
    "LifeEnded",
    "Line",
    "LinkTimes",
    "Listener",
    "Livelock",
    "ModelBug",
    "Network",
    "OperationEnded",
    "OperationStarted",
    "Process",
    "ProcessPanicked",
    "ProcessSignalled",
    "ProcessStarted",
    "ProcessState",
    "ProcessStopped",
    "Refused",
    "Reply",
    "Rotten",
    "StreamName",
    "StreamRule",
    "Stuck",
    "TimedOut",
    "Timer",
    "Torn",
    "Unsure",
    "Unsynced",
    "UsageError",
    "World",
    "WorldEnded",
    "canonical",
    "load_all",
    "reached",
    "seconds",
    "show",
]
