"""Look at, and work in, live Kubernetes clusters from a notebook."""
