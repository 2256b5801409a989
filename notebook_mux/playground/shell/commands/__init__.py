"""The programs of the emulation, each a coroutine from a `running.Run` to an exit code; `registry` has them by name."""
