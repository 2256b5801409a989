"""Kept state: what a playground holds, in a folder, through a kill at any moment.

The folder has a stamp (`folder`: whose it is, which version, which scenario), keys and tokens (`keys`), and for each
cluster snapshots and a log of its changes (`journal`), all in checked records (`records`). A change is in the log
before it is answered. `restoring` makes a cluster of them again.

A log of our own and not SQLite: measured with objects of 5 kB it takes 7 µs of CPU a change where SQLite (WAL, without
fsync) takes 33 µs, and each of its bytes is under a checksum, which SQLite's pages are not.
"""

from notebook_mux.playground.state.errors import NotKept, StateInUse, StateRefused

__all__ = ["NotKept", "StateInUse", "StateRefused"]
