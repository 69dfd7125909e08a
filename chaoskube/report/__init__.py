"""How a run is told to people."""
