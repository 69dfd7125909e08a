"""The deterministic world: what a model may use, and nothing else.

Knows no orchestrator. Imports nothing else of chaoskube.
"""

from .catalogue import Catalogue, load_all
from .clock import Clock, Timer
from .disk import Disk, DiskTimes, Torn, Unsynced
from .errors import (
    Blocked,
    ChaoskubeError,
    ComponentError,
    Diverged,
    Livelock,
    ModelBug,
    Refused,
    Stuck,
    TimedOut,
    Unsure,
    UsageError,
    WorldEnded,
)
from .events import FaultEnded, FaultStarted, OperationEnded, OperationStarted, ProcessStarted, ProcessStopped
from .journal import Entry, Journal, Line, canonical
from .marks import reached
from .network import Address, Disturbance, LinkTimes, Listener, Network
from .process import Host, Process, ProcessState, Reply
from .stream import Connection
from .units import MICROSECOND, MILLISECOND, SECOND, seconds, show
from .world import World

__all__ = [
    "MICROSECOND",
    "MILLISECOND",
    "SECOND",
    "Address",
    "Blocked",
    "Catalogue",
    "ChaoskubeError",
    "Clock",
    "ComponentError",
    "Connection",
    "Disk",
    "DiskTimes",
    "Disturbance",
    "Diverged",
    "Entry",
    "FaultEnded",
    "FaultStarted",
    "Host",
    "Journal",
    "Line",
    "LinkTimes",
    "Listener",
    "Livelock",
    "ModelBug",
    "Network",
    "OperationEnded",
    "OperationStarted",
    "Process",
    "ProcessStarted",
    "ProcessState",
    "ProcessStopped",
    "Refused",
    "Reply",
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
