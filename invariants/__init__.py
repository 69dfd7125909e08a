"""What must hold, one file a subject. Reads `models.objects` and `models.observer`, no component's insides."""

if not __name__.startswith("chaoskube."):
    raise ImportError("import chaoskube.invariants: the bare name would load every class twice")
