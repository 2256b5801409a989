"""Lesson 09: how a cluster decides who may do what, and how one gives, finds and takes rights."""

from __future__ import annotations

from notebook_mux.lessons.lesson import Lesson

NEEDED = ("get", "list", "watch")
"""What a program does that looks at pods and follows them; the seed leaves one out."""

LESSON = Lesson(
    number="09",
    title="Who may do what",
    minutes=20,
    goals=(
        "Say what a cluster looks at before it does what somebody asks.",
        "Read a role and a binding, and ask whether somebody may do something.",
        "Find out which right is missing, and which is too much.",
        "Give an account just what it needs.",
    ),
    steps=("Who asks", "Roles and bindings", "One verb is missing", "One may too much", "Just enough", "Check"),
    check="The reporter may do its work, nobody may delete pods any more, and the backup may read its one kind.",
    choices={
        "verbs": ("get, list", "get, watch", "list, watch"),
        "wide": ("intern", "robot", "dashboard"),
        "kind": ("configmaps", "services", "events", "endpoints"),
    },
    objects="""
apiVersion: v1
kind: ServiceAccount
metadata: {name: reporter}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: intern}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: dashboard}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: backup}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: note}
data:
  backup: "may get and list {{kind}}, and nothing else"
  kind: "{{kind}}"
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reporter}
rules:
- {apiGroups: [""], resources: [pods], verbs: [{{verbs}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules:
- {apiGroups: [""], resources: [pods, services], verbs: [get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: mender}
rules:
- {apiGroups: [""], resources: [pods, services], verbs: ["*"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reporter}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reporter}
subjects: [{kind: ServiceAccount, name: reporter}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects:
- {kind: ServiceAccount, name: intern}
- {kind: ServiceAccount, name: robot}
- {kind: ServiceAccount, name: dashboard}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: only-for-today}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: mender}
subjects: [{kind: ServiceAccount, name: "{{wide}}"}]
""",
    answers={
        "verb": lambda _, given: next(one for one in NEEDED if one not in given["verbs"]),
        "wide": lambda _, given: given["wide"],
        "kind": lambda _, given: given["kind"],
    },
    namespaced=False,
)
