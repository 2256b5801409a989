"""Certificate signing requests: who asks, what cannot be asked, who may approve, and the certificates that come of it.

The signers are those that a control plane has (docs: "Certificates and Certificate Signing Requests"); whoever has a
certificate of theirs is known by it at the API's TLS (`accounts.client_certificates`).
"""
