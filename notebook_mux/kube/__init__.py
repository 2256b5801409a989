"""What the gateway and the kernel's side both know of a Kubernetes API server. Sans-IO, all of it."""
