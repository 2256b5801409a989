"""Looking at contexts and at what is wrong, in a process of its own: ``python -m notebook_mux.checks``.

A kubeconfig is full of secrets, so the kernel never reads one. Where a gateway cannot be started it must be possible
to find out why, so this is asked beside the gateway, of a process that starts, answers and ends. It uses the gateway's
own loader and connections: what is checked is what is used.
"""
