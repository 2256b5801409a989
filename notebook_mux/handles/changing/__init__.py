"""Changing a cluster: apply, scale, restart, delete. Each asks for the right, has the server rehearse it, then does it.

``meant`` (what is there) or ``manifests`` (what is to be) give `steps.Step`s, one for each object; ``running`` asks for
the rights they take, has them rehearsed by a server-side dry run, and carries them out; it gives an `Outcome`.
"""
