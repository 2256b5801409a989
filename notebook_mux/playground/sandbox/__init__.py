"""Real programs in the containers of the embedded cluster, where the system allows a sandbox for them.

A sandbox is a process in namespaces of its own (`inside`): a root in memory with a few programs of the machine that
cannot be changed there (`programs`), the container's own files, no network but the cluster's, and limits. It has
nothing else of the machine, and none of its user's rights.

- `possible`: whether it can be, and if not, why, in a sentence; `choice`: for which containers it is wanted.
- `box`: one sandbox, and what is asked of it; `pool`: those there are, one a container, and when they end.
- `files`: the container's files there and back; the emulation (`playground.shell`) keeps them, a sandbox has a copy.
- `execution`: a program in it, for an exec; `main`: for an attach. `network`: the cluster's addresses and names.
"""
