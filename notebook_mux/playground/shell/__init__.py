"""An emulation of a small shell and its programs in the containers of the embedded cluster; nothing runs on the host.

A container's files are objects in memory (`files`, made by `images`, `mounts` and `kernel`), its programs coroutines
(`commands/`), its shell an interpreter of their own (`parser`, `expansion`, `interpreter`, `terminal`). `worlds` has
the containers of a cluster, each as long as its run. The host's files, programs and network are out of reach: no module
here opens anything. What a script may cost is bounded: `effort` for time, `files.Space` for memory.
"""
