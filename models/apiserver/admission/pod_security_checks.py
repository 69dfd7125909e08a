"""What the levels `baseline` and `restricted` forbid in a pod, each check with the real words. Pure.

A check looks at the pod's JSON and answers None or (reason, detail). Baseline checks come first, each list by the real
checks' names; restricted replaces some of the baseline's.
Source: k8s.io/pod-security-admission/policy/check_*.go, of the newest version of the levels.

Not modelled: older versions of the levels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from attrs import frozen

Spec: TypeAlias = Mapping[str, Any]  # a pod's spec as JSON, as it was written
Finding: TypeAlias = tuple[str, str]

DEFAULT_CAPABILITIES = frozenset(
    [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
)
SAFE_SYSCTLS = frozenset(
    [
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
    ]
)
SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
VOLUME_TYPES = frozenset(
    [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ]
)
HOST_NAMESPACES = ("hostNetwork", "hostPID", "hostIPC")
PROFILES = ("RuntimeDefault", "Localhost")


# ---- words


def _quoted(items: Iterable[str]) -> str:
    return ", ".join([f'"{item}"' for item in items])


def _count(word: str, items: list[str]) -> str:
    """`container "a"`, `containers "a", "b"`."""
    return f"{word if len(items) == 1 else word + 's'} {_quoted(items)}"


def _setters(is_pod_bad: object, containers: list[str]) -> str:
    return " and ".join(
        [*(["pod"] if is_pod_bad else []), *([_count("container", containers)] if containers else [])]
    )


def _containers(spec: Spec) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Name, security context and all the rest of each container."""
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for one in spec.get(kind) or ():
            yield one.get("name", ""), one.get("securityContext") or {}, one


def _pod_context(spec: Spec) -> Mapping[str, Any]:
    return spec.get("securityContext") or {}


def _is_windows(spec: Spec) -> bool:
    return (spec.get("os") or {}).get("name") == "windows"


def _has_user_namespace(spec: Spec) -> bool:
    return spec.get("hostUsers") is False


# ---- baseline


def _app_armor(spec: Spec) -> Finding | None:
    def kind(context: Mapping[str, Any]) -> str:
        return str((context.get("appArmorProfile") or {}).get("type") or "RuntimeDefault")

    bad = [name for name, context, _ in _containers(spec) if kind(context) not in PROFILES]
    values = {kind(context) for _, context, _ in _containers(spec)} | {kind(_pod_context(spec))}
    is_pod_bad = kind(_pod_context(spec)) not in PROFILES
    wrong = sorted(values.difference(PROFILES))
    if not bad and not is_pod_bad:
        return None
    reason = "forbidden AppArmor profile" if len(wrong) == 1 else "forbidden AppArmor profiles"
    return reason, f"{_setters(is_pod_bad, bad)} must not set AppArmor profile type to {_quoted(wrong)}"


def _added_capabilities(context: Mapping[str, Any]) -> list[str]:
    return list((context.get("capabilities") or {}).get("add") or ())


def _capabilities_baseline(spec: Spec) -> Finding | None:
    found = [
        (name, set(_added_capabilities(context)) - DEFAULT_CAPABILITIES)
        for name, context, _ in _containers(spec)
    ]
    bad = [name for name, more in found if more]
    if not bad:
        return None
    added = sorted(set().union(*[more for _, more in found]))
    what = f"{_count('container', bad)} must not include {_quoted(added)} in securityContext.capabilities.add"
    return "non-default capabilities", what


def _host_namespaces(spec: Spec) -> Finding | None:
    shared = [f"{name}=true" for name in HOST_NAMESPACES if spec.get(name)]
    return ("host namespaces", ", ".join(shared)) if shared else None


def _host_path(spec: Spec) -> Finding | None:
    bad = [one.get("name", "") for one in spec.get("volumes") or () if one.get("hostPath")]
    return ("hostPath volumes", _count("volume", bad)) if bad else None


def _host_ports(spec: Spec) -> Finding | None:
    found = [
        (name, [port["hostPort"] for port in one.get("ports") or () if port.get("hostPort")])
        for name, _, one in _containers(spec)
    ]
    bad = [name for name, ports in found if ports]
    if not bad:
        return None
    ports = sorted({str(port) for _, some in found for port in some})
    uses = "uses" if len(bad) == 1 else "use"
    word = "hostPort" if len(ports) == 1 else "hostPorts"
    return "hostPort", f"{_count('container', bad)} {uses} {word} {', '.join(ports)}"


def _host_probes(spec: Spec) -> Finding | None:
    bad: set[str] = set()
    hosts: set[str] = set()
    for name, _, one in _containers(spec):
        hooks = one.get("lifecycle") or {}
        probes = [one.get(probe) for probe in ("livenessProbe", "readinessProbe", "startupProbe")]
        for handler in (*probes, hooks.get("postStart"), hooks.get("preStop")):
            for action in ("httpGet", "tcpSocket"):
                host = ((handler or {}).get(action) or {}).get("host")
                if host:
                    bad.add(name)
                    hosts.add(host)
    if not bad:
        return None
    uses = "uses" if len(bad) == 1 else "use"
    what = _count("probe or lifecycle host", sorted(hosts))
    return "probe or lifecycle host", f"{_count('container', sorted(bad))} {uses} {what}"


def _privileged(spec: Spec) -> Finding | None:
    bad = [name for name, context, _ in _containers(spec) if context.get("privileged")]
    return (
        ("privileged", f"{_count('container', bad)} must not set securityContext.privileged=true")
        if bad
        else None
    )


def _proc_mount(spec: Spec) -> Finding | None:
    found = [(name, context.get("procMount") or "Default") for name, context, _ in _containers(spec)]
    bad = [name for name, kind in found if kind != "Default"]
    if not bad:
        return None
    kinds = sorted({kind for _, kind in found if kind != "Default"})
    return (
        "procMount",
        f"{_count('container', bad)} must not set securityContext.procMount to {_quoted(kinds)}",
    )


def _proc_mount_baseline(spec: Spec) -> Finding | None:
    return None if _has_user_namespace(spec) else _proc_mount(spec)


def _selinux(spec: Spec) -> Finding | None:
    def is_bad(options: Mapping[str, Any]) -> bool:
        return options.get("type", "") not in SELINUX_TYPES or bool(
            options.get("user") or options.get("role")
        )

    pod = _pod_context(spec).get("seLinuxOptions") or {}
    named = [(name, context.get("seLinuxOptions") or {}) for name, context, _ in _containers(spec)]
    bad = [name for name, options in named if is_bad(options)]
    if not bad and not is_bad(pod):
        return None
    every = [pod, *[options for _, options in named]]
    kinds = sorted({options.get("type", "") for options in every}.difference(SELINUX_TYPES))
    said = [_count("type", kinds)] if kinds else []
    said += [f"{field} may not be set" for field in ("user", "role") if any(one.get(field) for one in every)]
    return (
        "seLinuxOptions",
        f"{_setters(is_bad(pod), bad)} set forbidden securityContext.seLinuxOptions: {'; '.join(said)}",
    )


def _seccomp_of(context: Mapping[str, Any]) -> str | None:
    profile = context.get("seccompProfile")
    return None if profile is None else str(profile.get("type", ""))


def _seccomp_baseline(spec: Spec) -> Finding | None:
    pod = _seccomp_of(_pod_context(spec))
    named = [(name, _seccomp_of(context)) for name, context, _ in _containers(spec)]
    bad = [name for name, kind in named if kind is not None and kind not in PROFILES]
    is_pod_bad = pod is not None and pod not in PROFILES
    if not bad and not is_pod_bad:
        return None
    kinds = sorted(
        {kind for kind in (pod, *[kind for _, kind in named]) if kind is not None}.difference(PROFILES)
    )
    setters = _setters(is_pod_bad, bad)
    return "seccompProfile", f"{setters} must not set securityContext.seccompProfile.type to {_quoted(kinds)}"


def _sysctls(spec: Spec) -> Finding | None:
    named = [one.get("name", "") for one in _pod_context(spec).get("sysctls") or ()]
    bad = [name for name in named if name not in SAFE_SYSCTLS]
    return ("forbidden sysctls", ", ".join(bad)) if bad else None


def _windows_host_process(spec: Spec) -> Finding | None:
    def is_host(context: Mapping[str, Any]) -> bool:
        return bool((context.get("windowsOptions") or {}).get("hostProcess"))

    bad = [name for name, context, _ in _containers(spec) if is_host(context)]
    setters = _setters(is_host(_pod_context(spec)), bad)
    if not setters:
        return None
    return "hostProcess", f"{setters} must not set securityContext.windowsOptions.hostProcess=true"


# ---- restricted


def _escalation(spec: Spec) -> Finding | None:
    if _is_windows(spec):
        return None
    bad = [
        name for name, context, _ in _containers(spec) if context.get("allowPrivilegeEscalation") is not False
    ]
    if not bad:
        return None
    what = f"{_count('container', bad)} must set securityContext.allowPrivilegeEscalation=false"
    return "allowPrivilegeEscalation != false", what


def _capabilities_restricted(spec: Spec) -> Finding | None:
    if _is_windows(spec):
        return None
    keeping, adding, added = [], [], set()
    for name, context, _ in _containers(spec):
        if "ALL" not in ((context.get("capabilities") or {}).get("drop") or ()):
            keeping.append(name)
        more = set(_added_capabilities(context)) - {"NET_BIND_SERVICE"}
        if more:
            adding.append(name)
            added |= more
    said = []
    if keeping:
        said.append(f'{_count("container", keeping)} must set securityContext.capabilities.drop=["ALL"]')
    if adding:
        what = f"must not include {_quoted(sorted(added))} in securityContext.capabilities.add"
        said.append(f"{_count('container', adding)} {what}")
    return ("unrestricted capabilities", "; ".join(said)) if said else None


def _volumes(spec: Spec) -> Finding | None:
    bad, kinds = [], set()
    for volume in spec.get("volumes") or ():
        sources = [field for field in volume if field != "name"]
        if not VOLUME_TYPES.intersection(sources):
            bad.append(volume.get("name", ""))
            kinds.add(sources[0] if sources else "unknown")
    if not bad:
        return None
    uses = "uses" if len(bad) == 1 else "use"
    what = _count("restricted volume type", sorted(kinds))
    return "restricted volume types", f"{_count('volume', bad)} {uses} {what}"


def _non_root(spec: Spec) -> Finding | None:
    if _has_user_namespace(spec):
        return None
    pod = _pod_context(spec).get("runAsNonRoot")
    named = [(name, context.get("runAsNonRoot")) for name, context, _ in _containers(spec)]
    setters = _setters(pod is False, [name for name, value in named if value is False])
    reason = "runAsNonRoot != true"
    if setters:
        return reason, f"{setters} must not set securityContext.runAsNonRoot=false"
    silent = [name for name, value in named if value is None]
    if silent and not pod:
        return reason, f"pod or {_count('container', silent)} must set securityContext.runAsNonRoot=true"
    return None


def _user(spec: Spec) -> Finding | None:
    if _has_user_namespace(spec):
        return None
    bad = [name for name, context, _ in _containers(spec) if context.get("runAsUser") == 0]
    setters = _setters(_pod_context(spec).get("runAsUser") == 0, bad)
    return ("runAsUser=0", f"{setters} must not set runAsUser=0") if setters else None


def _seccomp_restricted(spec: Spec) -> Finding | None:
    if _is_windows(spec):
        return None
    explicit = _seccomp_baseline(spec)
    if explicit is not None:
        return explicit
    silent = [name for name, context, _ in _containers(spec) if _seccomp_of(context) is None]
    if not silent or _seccomp_of(_pod_context(spec)) is not None:
        return None
    what = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return "seccompProfile", f"pod or {_count('container', silent)} {what}"


# ---- the levels


@frozen
class Check:
    """One check of a level, and the check of the level below whose place it takes."""

    name: str
    look: Callable[[Spec], Finding | None]
    replaces: str = ""


BASELINE = (
    Check("appArmorProfile", _app_armor),
    Check("capabilities_baseline", _capabilities_baseline),
    Check("hostNamespaces", _host_namespaces),
    Check("hostPathVolumes", _host_path),
    Check("hostPorts", _host_ports),
    Check("hostProbesAndHostLifecycle", _host_probes),
    Check("privileged", _privileged),
    Check("procMount", _proc_mount_baseline),
    Check("seLinuxOptions", _selinux),
    Check("seccompProfile_baseline", _seccomp_baseline),
    Check("sysctls", _sysctls),
    Check("windowsHostProcess", _windows_host_process),
)
RESTRICTED = (
    Check("allowPrivilegeEscalation", _escalation),
    Check("capabilities_restricted", _capabilities_restricted, replaces="capabilities_baseline"),
    Check("procMount_restricted", _proc_mount, replaces="procMount"),
    Check("restrictedVolumes", _volumes, replaces="hostPathVolumes"),
    Check("runAsNonRoot", _non_root),
    Check("runAsUser", _user),
    Check("seccompProfile_restricted", _seccomp_restricted, replaces="seccompProfile_baseline"),
)


def findings(level: str, spec: Spec) -> list[Finding]:
    """What the level forbids in this pod: reasons with details."""
    if level == "privileged":
        return []
    checks: tuple[Check, ...] = BASELINE
    if level == "restricted":
        replaced = {check.replaces for check in RESTRICTED}
        checks = (*[check for check in BASELINE if check.name not in replaced], *RESTRICTED)
    return [found for check in checks if (found := check.look(spec)) is not None]


def told(found: Iterable[Finding]) -> str:
    """All findings in one sentence."""
    return ", ".join([f"{reason} ({detail})" if detail else reason for reason, detail in found])
