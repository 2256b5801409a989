"""A real Headlamp server in the place of our gateway: its multiplexer, its REST paths, and its traps (``TRAPS.md``).

- `client`: the multiplexer's protocol, frames in and events out; `cookies`, `config`: texts and answers. Sans-IO.
- `sockets`: WebSockets, the multiplexed one and those that the traps force; `rest`: HTTP.
- `watch`: list and watch of one stream; `records`: what the store reads of it; `cells`, `held`: its printed columns.
- `bridge`: what the kernel's connection speaks notebook-mux.v1 with, as it does with our gateway; `answers`: its
  answers to requests.
"""
