"""What the server fills in where an object says nothing: pods, workloads, network, storage and the rest.

Behaviour as the API reference describes each field's default; compared with a real server's, object by object, in
``tests/controlplane/test_playground_contract_admission.py``.
"""
