"""What a person does with kubectl, as the real one does it: one file a verb, over the API alone.

`Kubectl` (session.py) is one person's kubectl: a process, a client and what it knows of resources. Each verb is a
coroutine that takes it first; it raises Refused or Unsure as the API answers, and `CommandFailed` where kubectl itself
says no. Called by the operations in `scenarios/operations/`, and by the cluster that applies its documents.

Sources: staging/src/k8s.io/kubectl/pkg (1.36). Not modelled: files, printing, dry runs on the client's side, `edit`,
what goes through a kubelet (exec, logs, port-forward).
"""

from chaoskube.models.kubectl.session import CommandFailed, Kubectl, Target

__all__ = ["CommandFailed", "Kubectl", "Target"]
