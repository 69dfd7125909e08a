"""Workloads with their fault menus, and `bugs/`: famous failures re-created."""

if not __name__.startswith("chaoskube."):
    raise ImportError("import chaoskube.scenarios: the bare name would load every class twice")
