"""What actions can be aimed at: writes of components, events that reach their caches, leadership, what etcd acknowledges.

`before 2nd write of controller-manager-0`, `after 1st delete pods write of kubelet@node-1` (its answer is there, and
nobody has read it), `before 5th pods event at kubelet@node-1`, `after 1st leadership of scheduler-1`. An acknowledgement is the
instant at which an etcd member has carried out a client's write and is about to say so; where it leads, no other member knows yet that
the entry is committed. Found as scenarios are; `chaoskube/moment.py` says how a moment is told.
"""

from __future__ import annotations

from chaoskube.models.client.events import InformerRelisted, LeaderStarted, WriteAnswered, WriteSent
from chaoskube.models.etcd.events import Acknowledged
from chaoskube.models.raft.events import BecameLeader
from chaoskube.moment import moment, stream_moment

WRITE = moment(
    "write",
    before=WriteSent,
    after=WriteAnswered,
    paired_by="number",
    told_by=("verb", "resource", "subresource"),
)
EVENT = stream_moment("event", label="watch/{}")
CACHED = stream_moment("cached-event", label="etcd-watch/{}")
RELIST = moment("relist", after=InformerRelisted, told_by=("resource",))
LEADERSHIP = moment("leadership", after=LeaderStarted, told_by=("lease",))
ELECTION = moment("election", after=BecameLeader)
ACKNOWLEDGEMENT = moment("acknowledgement", before=Acknowledged)
