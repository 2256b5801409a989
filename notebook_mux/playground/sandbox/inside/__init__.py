"""What runs inside a sandbox, as its first process: nothing but the standard library, and nothing of the cluster.

`main` makes the namespaces and then the root (`rooting`), gives up every right (`confining`, with the filter of
`seccomp`), and serves what the playground asks for (`serving`): programs (`running`), files (`entries`). The playground
speaks with it over one socket (`wires`). Nothing here trusts the programs that run beside it, and the playground trusts
nothing from here.
"""
