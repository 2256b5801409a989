"""What the programs in a cluster's containers say, and when: a container's log, told when somebody asks for it.

- `program`: what a program is; `catalog`: which one an image or a command is.
- `servers`, `shop`, `batch`, `platform`: the programs of the scenarios.
- `syntax` and `commands`: small shell commands, as far as what they print and how long they take can be known.

Nothing here runs anything, and the same container says the same each time it is asked.
"""
