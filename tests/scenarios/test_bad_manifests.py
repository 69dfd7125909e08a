"""What people hand over by mistake is refused in one sentence, with file, line and what would be right."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from chaoskube.run import Session
from chaoskube.scenarios.manifests import read
from chaoskube.sim import SECOND, UsageError

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: nginx:1.27
          ports:
            - containerPort: 80
"""
CUSTOM = "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: web}\n"
TILL = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: tills.shop.example}
spec:
  group: shop.example
  scope: Namespaced
  names: {plural: tills, singular: till, kind: Till}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object}}
---
apiVersion: shop.example/v1
kind: Till
metadata: {name: front}
"""


def refusal(text: str) -> str:
    """Why this text is refused."""
    with pytest.raises(UsageError) as raised:
        read(("-",), text)
    return str(raised.value).replace("standard input", "in")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("replicas:", "replica:", 'in:6: Deployment web: spec.replica: unknown field "replica"; did you mean "replicas"?'),
        ("image:", "imgae:", "in:15: Deployment web: spec.template.spec.containers[0].imgae: unknown field"),
        ("containerPort", "containerport", "in:17: Deployment web: spec.template.spec.containers[0].ports[0]"),
        ("replicas: 2", "replicas: two", "in:6: Deployment web: spec.replicas: must be a whole number, is text"),
        ("replicas: 2", "replicas: -1", "in:6: Deployment web: spec.replicas: Invalid value: -1"),
        ("matchLabels: {app: web}", "matchLabels: [app]", "in:8: Deployment web: spec.selector.matchLabels: must be"),
        ("      labels: {app: web}", "      labels: {app: x}", "in:11: Deployment web: spec.template.metadata.labels"),
        ("Deployment", "Deploymnet", 'in:2: Deploymnet web: kind: "apps/v1" has no kind "Deploymnet"; did you mean'),
        ("apps/v1", "v1", 'in:1: Deployment web: apiVersion: Deployment is not in "v1"; it is in "apps/v1"'),
        ("name: web\nspec", "name: Web_App\nspec", "in:4: Deployment Web_App: metadata.name: Invalid value"),
        ("name: web\nspec", "generateName: web-\nspec", "in:4: Deployment: metadata.generateName: generateName cannot"),
        ("  replicas", "\treplicas", "in:6: a tab stands where spaces must"),
        ("  replicas: 2", "  replicas: 2\n  replicas: 3", "in:7: key 'replicas' is set twice"),
        ("replicas: 2", "replicas: {{ .Values.replicas }}", "in:6: a key must be a plain value; it looks like a template"),
        ("name: web\nspec", 'name: "{{ .Values.name }}"\nspec', "in:4: Deployment {{ .Values.name }}: metadata.name"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_own_line(old: str, new: str, problem: str) -> None:
    """Not at the first line of a document of hundreds."""
    assert refusal(WEB.replace(old, new, 1)).startswith(problem)


def test_a_null_list_is_missing() -> None:
    """`containers:` with nothing behind it is what is left when the items are commented out."""
    text = WEB[: WEB.index("        - name: web")]

    assert refusal(text) == "in:13: Deployment web: spec.template.spec.containers: is required, and missing"


def test_an_object_is_defined_once() -> None:
    """kubectl would silently apply both, one over the other."""
    assert refusal(f"{WEB}---\n{WEB}") == "in:19: Deployment default/web is defined at in:1 already"


def test_a_broken_document_among_others_is_told_at_its_line() -> None:
    """Also where the ones before it are fine."""
    assert refusal(f"{WEB}---\nkind: {{oops\n---\n{WEB}").startswith(
        "in:20: while parsing a flow mapping: did not"
    )


@pytest.mark.parametrize("text", ["", "# nothing\n---\n---\n", "apiVersion: v1\nkind: List\nitems:\n"])
def test_nothing_at_all_is_refused(text: str) -> None:
    """An empty pipe is a mistake, not a workload in which nothing is found."""
    assert refusal(text) == "in: there is no Kubernetes object in here"


def test_a_custom_resource_is_named_as_such() -> None:
    """A near name of a group that has nothing to do with it would mislead."""
    told = refusal(f"{WEB}---\n{CUSTOM}")

    assert told.startswith(
        "in:19: ServiceMonitor web: monitoring.coreos.com is no API group of Kubernetes itself"
    )
    assert "leave this document out" in told


@pytest.mark.parametrize(
    ("annotation", "problem"),
    [
        ("listen-aftr: 3s", "in:12: Deployment web: annotation chaoskube.dev/listen-aftr is unknown; did you mean chao"),
        ("listen-after: soon", "in:12: Deployment web: annotation chaoskube.dev/listen-after: 'soon' is not a duration"),
        ('ignore-sigterm: "yes"', "in:12: Deployment web: annotation chaoskube.dev/ignore-sigterm: 'yes' is neither"),
    ],
)  # fmt: skip
def test_an_annotation_of_ours_is_checked(annotation: str, problem: str) -> None:
    """Before any pod starts, with the line in which it stands."""
    labels = "      labels: {app: web}"
    text = WEB.replace(labels, f"{labels}\n      annotations: {{chaoskube.dev/{annotation}}}")

    assert refusal(text).startswith(problem)


def test_a_job_needs_no_selector() -> None:
    """The server makes one of the Job's uid before it validates."""
    job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: once}\n"
    template = "spec: {template: {spec: {restartPolicy: Never, containers: [{name: once, image: once}]}}}\n"

    assert read(("-",), job + template) is not None


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "name: tills.",
            "name: till.",
            "in:3: CustomResourceDefinition till.shop.example: metadata.name: Invalid value",
        ),
        ("type: object}", "type: objekt}", "must be object at the root"),
        (
            "metadata: {name: front}",
            "metadata: {name: Front}",
            "in:16: Till Front: metadata.name: Invalid value",
        ),
    ],
)
def test_definitions_and_their_objects_are_held_to_all_that_the_server_asks(
    old: str, new: str, problem: str
) -> None:
    """Not only to their fields: names, schemas, and who fits whom."""
    assert read(("-",), TILL) is not None

    assert problem in refusal(TILL.replace(old, new))


def test_an_annotation_of_ours_in_the_wrong_place_is_told() -> None:
    """On the Deployment itself it would be without effect, and nobody would notice."""
    text = WEB.replace("  name: web\nspec", "  name: web\n  annotations: {chaoskube.dev/drain: 3s}\nspec")

    assert refusal(text) == (
        "in:5: Deployment web: metadata.annotations.chaoskube.dev/drain: has no effect here; "
        "it belongs to the pod template, spec.template.metadata.annotations"
    )


def test_more_pods_than_there_is_room_for_are_refused() -> None:
    """Before minutes are spent on starting them."""
    told = refusal(WEB.replace("replicas: 2", "replicas: 100000"))

    assert told.startswith("in:6: Deployment default/web: spec.replicas: 100000 pods have no room")


@pytest.mark.parametrize(
    ("addition", "reason"),
    [
        (
            '          resources: {requests: {cpu: "100"}}\n',
            "web-[a-z0-9-]+ .and 1 more. cannot be scheduled: 0/3 nodes are available: .*Insufficient cpu",
        ),
        (
            "          readinessProbe: {httpGet: {path: /, port: http}}\n",
            "runs, but is not ready: the readiness probe of container web does not succeed",
        ),
        (
            "---\napiVersion: v1\nkind: ResourceQuota\nmetadata: {name: none}\nspec: {hard: {pods: 0}}\n",
            "no pod is made for it: pods .* is forbidden: exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0",
        ),
    ],
)
def test_what_never_comes_up_is_told_with_its_reason(addition: str, reason: str) -> None:
    """A sentence that says which pod, and what it waits for."""
    made = read(("-",), WEB + addition)
    assert made is not None

    with (
        pytest.raises(UsageError, match=reason) as raised,
        Session(attrs.evolve(made, warm_ns=60 * SECOND)) as run,
    ):
        run.warm_up()
    assert "Deployment default/web is not rolled out: 0 of 2 available" in str(raised.value)


def folder_refusal(folder: Path) -> str:
    """Why this folder is refused, with paths inside it."""
    with pytest.raises(UsageError) as raised:
        read((str(folder),), None)
    return str(raised.value).replace(str(folder), "F")


def test_a_folder_without_manifests_is_refused(tmp_path: Path) -> None:
    """Empty, or with other files only."""
    (tmp_path / "README.md").write_text("hello")

    assert folder_refusal(tmp_path) == "F: there is no .yaml, .yml or .json file in this folder"


def test_a_folder_for_kustomize_says_how_to_build_it(tmp_path: Path) -> None:
    """Its files are parts; hunting them would be hunting something else than what runs."""
    (tmp_path / "kustomization.yaml").write_text("resources: [web.yaml]\n")
    (tmp_path / "web.yaml").write_text(WEB)

    assert "build it first: kubectl kustomize F | chaoskube hunt -" in folder_refusal(tmp_path)
    assert "is a file for Kustomize" in refusal(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
    )


def test_a_chart_says_how_to_render_it(tmp_path: Path) -> None:
    """The templates in it are no YAML yet."""
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 0.1.0\n")

    assert "render it first: helm template F | chaoskube hunt -" in folder_refusal(tmp_path)


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    """With the place of the first byte that is no text."""
    (tmp_path / "web.yaml").write_bytes(b"a: \xff\xfe")

    assert folder_refusal(tmp_path) == "F/web.yaml: not a text file in UTF-8 (byte 3)"


def test_traces_and_hidden_folders_are_no_manifests(tmp_path: Path) -> None:
    """`chaoskube hunt .` in a repository must not trip over its own traces."""
    (tmp_path / "web.yaml").write_text("\ufeff" + WEB.replace("\n", "\r\n"), encoding="utf-8")
    (tmp_path / "x.chaos.yaml").write_text("chaoskube: 1\n")
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github" / "ci.yml").write_text("on: push\n")

    made = read((str(tmp_path),), None)

    assert made is not None
    assert made.setup["documents"]
