"""The calm machine room in numbers: what links, disks and TCP take when nothing goes wrong.

Virtual nanoseconds, one line each with its source; `model` marks a choice where no source rules. A model's own
constants stand in the model (`models/constants.py`, which lists these too).
"""

from __future__ import annotations

from typing import Final

from .units import MICROSECOND, MILLISECOND, SECOND

LINK_SAME_HOST: Final = 100 * MICROSECOND  # model
LINK_BETWEEN_HOSTS: Final = 500 * MICROSECOND  # model
DISK_WRITE: Final = 100 * MICROSECOND  # model
DISK_SYNC: Final = 2 * MILLISECOND  # model: a solid-state disk's fsync
CONNECT_TIMEOUT: Final = 30 * SECOND  # net.Dialer as client-go and net/http set it up
SYN_RETRY: Final = 1 * SECOND  # Linux: a SYN without an answer is sent again after 1 s, 2 s, 4 s, ...
RETRANSMIT_FIRST: Final = 200 * MILLISECOND  # Linux TCP_RTO_MIN, then ever later
RETRANSMIT_MAX: Final = 120 * SECOND  # Linux TCP_RTO_MAX
RETRANSMITS: Final = 15  # Linux tcp_retries2: about 15 minutes, then the connection is given up
