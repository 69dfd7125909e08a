"""The orchestrator: pure cores and thin shells. Imports `chaoskube.sim` and nothing else of the harness."""

if not __name__.startswith("chaoskube."):
    raise ImportError("import chaoskube.models: the bare name would load every class twice")
