"""The embedded Kubernetes cluster behind ``nm.demo()``: the API of a small real cluster, in one process.

Stations, from the wire inwards:

- `server`: TLS, sites, knobs for fault tests; `service`: the process's life; `kubeconfig`, `certificates`.
- `api`: one request: who asks (`access`), for what (`paths`), in which form (`accept`), then one of `lists`,
  `watches`, `writes`, `reviews`, `discovery`.
- `tables` with `notebook_mux.printers`: the server's own columns, one file for a group of kinds.
- `store` and `history`: objects as encoded bytes, their revisions, and what was.
- `logs` and `stories`: what containers have written, made when somebody asks for it.
- `cluster`: one cluster's store, kinds and clock; `controllers`: what makes it alive; `scenarios`: what is in it.

Nothing here imports the rest of the package but its ages, printers, errors and the life of processes.
"""
