"""chaoskube finds the failure in an orchestrator before the cluster does."""

__version__ = "0.1.0"
