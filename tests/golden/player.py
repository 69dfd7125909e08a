"""Plays a recording against the simulated control plane and gives back what came of it, as a recording.

The control plane is built and warmed up, the nodes of the meta line are registered, and the wall clock is set so
that the recording's t=0 falls on its own second and fraction. Then commands and kubelet records happen at their
recorded times (a command not before the answers that the scenario had got before it sent it), while a recorder
watches what the recording watched, through ordinary watches. Who calls it: the tests, `--golden`.

Not modelled: metrics (`load`), etcd's API, health paths: `why_not` says which of them a recording
needs.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field

from chaoskube.models.client.api import ApiClient
from chaoskube.models.objects.resources import resources
from chaoskube.sim import MICROSECOND, Process, Reply, World, seconds

from .answers import bind_answer
from .beginning import heartbeat_phase, manager_phase, silence_of, start_ns
from .compare import compare
from .control_plane import build_control_plane, is_known
from .difference import Difference
from .etcd_parts import EtcdParts
from .http import Answer, Door
from .player_names import PlayerNames
from .races import firsts
from .recorder import Recorder, with_all_starts
from .recording import (
    Command,
    Control,
    Etcd,
    EtcdCall,
    Kubelet,
    Load,
    Note,
    OwnWatchEnd,
    OwnWatchStart,
    Record,
    Recording,
    StreamOpen,
    Watched,
    replaced,
)
from .stand_in_kubelet import StandInKubelet
from .trees import Json, Tree, as_tree, number, text
from .volumes import told_as

WARM_UP_SECONDS = 60
LONG_WARM_UP_SECONDS = 660
"""Where a recording is about compaction: its API server had compacted etcd before, which it does every 5 minutes."""
MANAGER_STARTS_SECONDS = 20  # and up to 20 more, so that its loops have the recorded phase
GOES_ON_SECONDS = 1
GOES_ON_AFTER_AN_OUTAGE_SECONDS = 181
"""Each informer comes back after a backoff of its own, doubled by jitter to up to 60 s (client-go, reflector.go), and a
controller that met one which lagged tries again after a second, two, four... (endpointslice_controller.go)."""
WATCHED_ALWAYS = (
    "Pod",
    "ReplicaSet",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ControllerRevision",
    "Job",
    "CronJob",
    "Service",
    "EndpointSlice",
    "Event",
    "PodDisruptionBudget",
    "ResourceQuota",
)
NODES_WATCHED_IN = ("node", "control", "ha")
_DEFAULT_NODE: Tree = {"cpu": "4", "memory": "8Gi", "pods": "110"}
_PLAYED = (Command, Kubelet, Control, Etcd, OwnWatchStart, OwnWatchEnd)
_UNPLAYABLE: dict[type[Record], str] = {
    Load: "it needs resource metrics (load)",
    EtcdCall: "it calls etcd's own API (call)",
    StreamOpen: "it opens streams of etcd's own API (stream-open)",
}


def why_not(recording: Recording) -> str:
    """Why this recording cannot be played yet, in one clause; "" when it can."""
    for record in recording.records:
        if isinstance(record, Control) and not is_known(record):
            return f"it does {record.op} to {record.component} (control)"
        if isinstance(record, Etcd) and record.op != "compact":
            return f"it does {record.op} to the control plane's etcd (etcd)"
        if type(record) in _UNPLAYABLE:
            return _UNPLAYABLE[type(record)]
    return ""


def play(recording: Recording, *, seed: int = 0) -> tuple[Recording, dict[str, str]]:
    """Our run of the recording's scenario, and which of our nodes played which recorded one's part."""
    warm_up_ns = warm_up_of(recording)
    epoch_ns = start_ns(recording) - warm_up_ns
    with World(seed=seed, epoch_ns=epoch_ns) as world:
        player = Player(world, recording)
        world.advance(warm_up_ns)
        world.advance(seconds(recording.end + _goes_on(recording)))
        return player.recording(), player.nodes_bound()


def warm_up_of(recording: Recording) -> int:
    """How long the control plane runs before t=0 (ns)."""
    is_long = any(isinstance(record, Etcd) for record in recording.records)
    return seconds(LONG_WARM_UP_SECONDS if is_long else WARM_UP_SECONDS)


def _goes_on(recording: Recording) -> int:
    outage = any(
        isinstance(record, Control) and record.component in ("kube-apiserver", "etcd")
        for record in recording.records
    )
    return GOES_ON_AFTER_AN_OUTAGE_SECONDS if outage else GOES_ON_SECONDS


def play_and_compare(recording: Recording, *, seed: int = 0) -> tuple[Recording, list[Difference]]:
    """Our run and how it differs; no difference means the same."""
    recording = without_lost_bodies(recording)
    ours, nodes = play(recording, seed=seed)
    return ours, compare(recording, ours, right_goes_on=True, nodes=nodes)


def without_lost_bodies(recording: Recording) -> Recording:
    """The recording without commands that cannot be sent again: of a body too big to keep, only a note was kept."""
    lost = [
        record
        for record in recording.records
        if isinstance(record, Command) and isinstance(record.body, Mapping) and set(record.body) == {"note"}
    ]
    return (
        replaced(recording, [record for record in recording.records if record not in lost])
        if lost
        else recording
    )


@define
class Sent:
    """A command under way: the recorded one, and our answer when it is there."""

    recorded: Command
    ours: Reply[Command] = field()


@define
class Held:
    """A command that is sent when the overlapping ones that came before it have been answered."""

    place: int
    since: float
    sent: Sent
    rivals: list[Sent]


class Player:
    """One play: the scenario, the recorder and the stand-in kubelet, each a process of its own."""

    def __init__(self, world: World, recording: Recording) -> None:
        self._world = world
        self._recording = recording
        self._keeps_managers = _keeps_managers(recording)
        self._warm_up_ns = warm_up_of(recording)
        self._names = PlayerNames(recording)
        self._answered: dict[int, Command] = {}
        self._asked: list[Kubelet] = []
        self._held: list[Held] = []
        manager_ns = seconds(MANAGER_STARTS_SECONDS + manager_phase(recording))
        self._etcd = EtcdParts(world, recording)
        self._control_plane = build_control_plane(world, manager_ns, self._etcd)
        self._servers = self._control_plane.servers
        world.process("scenario", host="workstation", boot=self._boot_scenario).start()
        world.process("recorder", host="workstation", boot=self._boot_recorder).start()
        world.process("stand-in-kubelet", host="workstation", boot=self._boot_kubelet).start()

    @property
    def _seen(self) -> list[Watched]:
        """What we committed so far."""
        return self._recorder.seen

    @property
    def _time(self) -> float:
        """Seconds since the recording's t=0."""
        return (self._world.now - self._warm_up_ns) // MICROSECOND / 1e6

    def recording(self) -> Recording:
        """What came of it."""
        end = Note(t=self._time, text="the play ends here")
        commands = [self._answered[number] for number in sorted(self._answered)]
        records: list[Record] = [*commands, *self._seen, *self._asked, *self._recorder.others]
        records.sort(key=lambda record: record.t)
        ours = replaced(self._recording, [*records, end])
        return told_as(ours, self._names.volumes_as_told(self._seen))

    def nodes_bound(self) -> dict[str, str]:
        """Our node's name for each recorded one."""
        return self._names.nodes

    # -- the nodes

    def _boot_kubelet(self, process: Process) -> None:
        self._kubelet = StandInKubelet(process, self._client(process, "system:nodes"))
        process.spawn(self._warm_up, process)

    async def _warm_up(self, process: Process) -> None:
        """The namespace and the nodes, well before the recording begins, then heart beats in its phase."""
        await process.sleep(seconds(10))
        door = Door(process, self._client(process, "admin"))
        namespace: Tree = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": self._recording.meta.namespace},
        }
        await door.ask("POST", "/api/v1/namespaces", namespace)
        for shape in self._recording.meta.nodes:
            await self._kubelet.add_node(as_tree(shape))
        self._kubelet.watch_pods()
        phase = seconds(heartbeat_phase(self._recording))
        round_ns = seconds(10)
        begin = self._warm_up_ns - 2 * round_ns + phase
        await process.sleep(max(0, begin - process.now))
        await self._kubelet.heartbeats()

    def _client(self, process: Process, user: str) -> ApiClient:
        return ApiClient(process, self._servers, user=user, retries_max=0, agent="oracle/1.0")

    # -- the recorder

    def _boot_recorder(self, process: Process) -> None:
        client = self._client(process, "recorder")
        self._recorder = Recorder(process, client, lambda: self._time)
        at_start = self._warm_up_ns - seconds(1)
        process.call_later(at_start, self._watch_all)

    def _watch_all(self) -> None:
        kinds = list(self._recording.watched_kinds)
        if self._recording.meta.group != "api":
            kinds += WATCHED_ALWAYS
        if self._recording.meta.group in NODES_WATCHED_IN:
            kinds.append("Node")
        for kind in dict.fromkeys(kinds):
            found = next((one for one in resources() if one.kind == kind), None)
            if found is not None:
                self._recorder.watch(kind, found, self._recording.meta.namespace)

    # -- the scenario

    def _boot_scenario(self, process: Process) -> None:
        self._scenario = process
        self._door = Door(process, self._client(process, "admin"))
        process.spawn(self._play)

    async def _play(self) -> None:
        commands = [record for record in self._recording.records if isinstance(record, Command)]
        under_way = [Sent(command, self._scenario.reply()) for command in commands]
        rivals = firsts(commands)
        sent: list[Sent] = []
        place = 0
        for record in with_all_starts(self._recording.records):
            if not isinstance(record, _PLAYED):
                continue
            when = self._warm_up_ns + seconds(record.t)
            await self._scenario.sleep(max(0, when - self._scenario.now))
            for earlier in sent:
                if earlier.recorded.t + earlier.recorded.took <= record.t + 1e-4:
                    await earlier.ours.wait()
            sent = [one for one in sent if not one.ours.is_set]
            if isinstance(record, Command):
                sent.append(under_way[place])
                first = [under_way[rival] for rival in rivals.get(place, ())]
                self._held.append(Held(place, self._time, under_way[place], first))
                self._send_held()
                place += 1
            else:
                self._do(record)

    def _do(self, record: Record) -> None:
        """Whatever isn't a command."""
        if isinstance(record, Control):
            self._control_plane.inflict(record, self._recording)
        elif isinstance(record, Etcd):
            self._etcd.compact(self._scenario)
        elif isinstance(record, OwnWatchStart):
            query = as_tree(self._names.to_ours(record.query, record.t, self._seen))
            self._recorder.open_own(record, record.path, query)
        elif isinstance(record, OwnWatchEnd):
            self._recorder.close_own(record.label)
        elif isinstance(record, Kubelet):
            self._ask_kubelet(record)

    def _send_held(self) -> None:
        """Send what waits for nobody any more."""
        due = [one for one in self._held if all(rival.ours.is_set for rival in one.rivals)]
        self._held = [one for one in self._held if one not in due]
        for one in due:
            self._send(one)

    def _send(self, held: Held) -> None:
        number, time, under_way = held.place, held.since, held.sent
        recorded = under_way.recorded
        path = str(self._names.to_ours(recorded.path, recorded.t, self._seen))
        query = as_tree(self._names.to_ours(recorded.query, recorded.t, self._seen))
        body = self._names.to_ours(recorded.body, recorded.t, self._seen)

        def on_answer(answer: Answer) -> None:
            ours = Command(
                t=time,
                verb=recorded.verb,
                path=path,
                query=query,
                content_type=recorded.content_type,
                body=body,
                status=answer.status,
                response=answer.body if self._keeps_managers else _without_managed_fields(answer.body),
                took=self._time - time,
            )
            self._answered[number] = ours
            self._bind_answer(recorded, ours)
            under_way.ours.set(ours)
            self._send_held()

        self._answered[number] = Command(
            t=time, verb=recorded.verb, path=path, status=None, response=None, body=body
        )
        texts = {key: str(value) for key, value in query.items()}
        content_type = recorded.content_type or None
        self._door.send(recorded.verb, path, on_answer, query=texts, content_type=content_type, body=body)

    def _bind_answer(self, recorded: Command, ours: Command) -> None:
        bind_answer(recorded, ours, self._names.binding)
        tokens = [text(one.response, "metadata", "continue") for one in (recorded, ours)]
        self._names.binding.bind(tokens[0], tokens[1])
        left = text(recorded.response, "metadata", "resourceVersion")
        right = text(ours.response, "metadata", "resourceVersion")
        if left and right:
            self._names.binding.bind_version(left, right)

    def _ask_kubelet(self, record: Kubelet) -> None:
        named = [self._names.to_ours(argument, record.t, self._seen) for argument in record.args]
        self._asked.append(Kubelet(t=self._time, op=record.op, args=named))
        first = str(named[0])
        process = self._world.processes["stand-in-kubelet"]
        if record.op == "stop_node":
            self._kubelet.stop_node(first)
        elif record.op == "start_node":
            process.spawn(self._kubelet.start_node, first)
        elif record.op == "add_node":
            silence = seconds(silence_of(self._recording, str(record.args[0]), record.t))
            process.spawn(self._kubelet.add_node, {**_DEFAULT_NODE, "name": first}, silence)
        elif record.op == "remove_node":
            process.spawn(self._kubelet.remove_node, first)
        elif record.op == "set_ready":
            self._kubelet.set_ready(first, named[1] is True)
        elif record.op in ("restart_container", "exit_pod"):
            self._kubelet.end_containers(
                first, number({"code": named[1]} if len(named) > 1 else {}, "code", default=1)
            )


def _keeps_managers(recording: Recording) -> bool:
    """Whether a recording has metadata.managedFields; most leave them out."""
    commands = [record for record in recording.records if isinstance(record, Command)]
    return any("managedFields" in as_tree(as_tree(one.response).get("metadata")) for one in commands)


def _without_managed_fields(body: Json) -> Json:
    if not isinstance(body, Mapping):
        return body
    meta = {key: value for key, value in as_tree(body.get("metadata")).items() if key != "managedFields"}
    kept = {**body, "metadata": meta} if "metadata" in body else body
    items = kept.get("items")
    return (
        {**kept, "items": [_without_managed_fields(item) for item in items]}
        if isinstance(items, list)
        else kept
    )
