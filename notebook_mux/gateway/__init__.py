"""The gateway: a process of its own that lists and watches clusters once and serves any number of kernels."""
