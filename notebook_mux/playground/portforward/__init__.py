"""``pods/P/portforward``: a pod's ports, as the API server and its kubelet forward them.

Everything but `serving` is sans-IO: a message in, messages out.

- `frames`, `headers`: SPDY/3.1 frames and their compressed header blocks.
- `spdy`: the server's end of a SPDY/3.1 connection: streams.
- `tunnel`: ``portforward.k8s.io``, two SPDY streams a connection; what kubectl speaks, within a WebSocket or by an
  upgrade to SPDY/3.1.
- `channels`: ``v4.channel.k8s.io``, two channels a port.
- `dialing`: who listens on a port of a pod, and a kubelet's words where nobody does.
- `serving`: the request, its refusals, and the connection until its end.
"""
