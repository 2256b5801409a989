"""Who may do what: roles and bindings evaluated as a real API server does (RBAC authorizer of kube-apiserver 1.37).

`requests` says what a request asks, `rules` what a rule allows, `resolver` which rules a user has, `objects` what may
be written and by whom (escalation and bind checks), `aggregation` fills aggregated roles, `bootstrap` is what a new
cluster has, `impersonation` is acting as another, `people` makes users for a class.
"""
