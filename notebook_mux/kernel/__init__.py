"""The kernel's side of the one socket: connection manager, subscriptions, stores.

The way of the data, one module a station: `transport` → `connection` → `subscription` (with its `store`) → `streams`
→ `feed`. `core` is the face of it all and lives in `holder`, outside the package, so that it survives reloads.
"""
