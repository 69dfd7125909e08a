"""What the server adds to a new Job: a selector by the Job's own uid, and the labels that meet it. Pure.

Source: pkg/registry/batch/job/strategy.go (generateSelector). Called by `strategy.py`.
"""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.objects import FrozenDict, Job, LabelSelector

UID_LABEL = "batch.kubernetes.io/controller-uid"
NAME_LABEL = "batch.kubernetes.io/job-name"
OLD_UID_LABEL = "controller-uid"
OLD_NAME_LABEL = "job-name"


def with_generated_selector(job: Job) -> Job:
    """The Job with its own selector and labels, unless its owner said that he takes care of them."""
    if job.spec.manual_selector:
        return job
    template = job.spec.template
    labels = template.metadata.labels
    added = {
        OLD_NAME_LABEL: job.name,
        NAME_LABEL: job.name,
        OLD_UID_LABEL: job.uid,
        UID_LABEL: job.uid,
    }
    for name in added:
        if labels.get(name):
            return job  # validation says what it thinks of that
    selector = job.spec.selector or LabelSelector()
    if not selector.match_labels.get(UID_LABEL):
        selector = evolve(selector, match_labels=selector.match_labels.plus({UID_LABEL: job.uid}))
    wanted: FrozenDict[str, str] = labels.plus(added)
    metadata = job.metadata
    if not metadata.labels:  # what is read back from etcd is defaulted: the Job gets its template's labels
        metadata = evolve(metadata, labels=wanted)
    return evolve(
        job,
        metadata=metadata,
        spec=evolve(
            job.spec,
            selector=selector,
            template=evolve(
                template,
                metadata=evolve(template.metadata, labels=wanted),
                extra=template.extra.minus("metadata"),
            ),
        ),
    )
