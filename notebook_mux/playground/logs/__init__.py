"""``GET .../pods/P/log``: what containers have written, and what they write from now on.

Nothing is kept. A line is made when somebody asks for it, from the pod's story (`notebook_mux.playground.stories`), its
status and the clock, and it is the same line each time.

- `options`: the query, refused as the real API server refuses it.
- `runs`: which life of which container is meant, and a kubelet's words where there is none.
- `written`: the lines of a run by their time.
- `sending`: an answer, and a follower until the container ends.
"""
