"""What pods and nodes use: declared, or plausible and the same each time (`figures`), and the metrics API (`serving`).

The API is metrics.k8s.io/v1beta1 as metrics-server serves it (https://github.com/kubernetes-sigs/metrics-server): nodes
and pods can be got and listed, nothing can be watched.
"""
