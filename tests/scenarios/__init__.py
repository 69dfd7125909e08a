"""Tests of scenarios as users meet them: examples, and manifests that others wrote."""
