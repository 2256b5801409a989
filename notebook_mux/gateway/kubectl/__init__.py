"""The API of a client's clusters, served to kubectl and the like: a kubeconfig without a credential of a cluster."""
