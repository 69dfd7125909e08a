"""The built-in scenarios as Hypothesis state machines, as a user's pytest would collect them.

The same few cases at every run: a test suite is no place for luck. Longer hunts are commands of their own.
"""

from __future__ import annotations

from hypothesis import settings

from chaoskube.machine import state_machine
from chaoskube.profiles import register
from chaoskube.scenarios.etcd_register import etcd_register
from chaoskube.scenarios.rolling_update import rolling_update
from chaoskube.scenarios.scale_storm import scale_storm

register()
FEW = settings(
    settings.get_profile("chaos-quick"), max_examples=4, derandomize=True, database=None, print_blob=False
)

TestEtcdRegister = state_machine(etcd_register(), settings=FEW)
TestRollingUpdate = state_machine(rolling_update(), settings=FEW)
TestScaleStorm = state_machine(scale_storm(), settings=FEW)
