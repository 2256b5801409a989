"""Roll-outs of deployments: their replica sets, how many of each, and whether there is progress."""
