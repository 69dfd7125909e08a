"""Linearizability of histories.

Where the commit order is known, `check_commit_order` decides in one sweep (`commit_order.py`).
"""

from __future__ import annotations

from chaoskube.commit_order import CommitOrder, OrderViolation, Placed, check_commit_order

__all__ = ["CommitOrder", "OrderViolation", "Placed", "check_commit_order"]
