"""Lesson 03: what holds a cluster's objects together: labels, and selectors that look for them."""

from __future__ import annotations

from notebook_mux.lessons.lesson import Lesson, available

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}, tier: {tier}, team: {team}}}}}
    spec:
      containers:
      - name: {name}
        image: nginx:1.29.0
---"""

SERVICES = """
apiVersion: v1
kind: Service
metadata: {name: front}
spec:
  selector: {app: front}
  ports: [{port: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: "{{broken}}"}
spec:
  selector: {app: "{{broken}}{{typo}}"}
  ports: [{port: 80}]
"""

LESSON = Lesson(
    number="03",
    title="Labels and services",
    minutes=20,
    goals=(
        "Read the labels of pods, and pick pods by them.",
        "Say how a service finds the pods that it stands for.",
        "Find out why a service finds nobody, and mend it.",
        "Take one pod out of service without stopping it.",
    ),
    steps=("Labels", "Selectors", "A service", "A service that finds nobody", "Take a pod out", "Check"),
    check="You have counted a team's pods, and the service that found nobody finds its pods.",
    choices={
        "broken": ("cart", "stock", "mail"),
        "typo": ("s", "-app", "-v2", "-web"),
        "carts": range(1, 4),
        "stocks": range(1, 4),
        "mails": range(1, 4),
    },
    objects="".join(
        DEPLOYMENT.format(name=name, replicas=replicas, tier=tier, team=team)
        for name, replicas, tier, team in (
            ("front", 2, "web", "blue"),
            ("cart", "{{carts}}", "shop", "red"),
            ("stock", "{{stocks}}", "shop", "blue"),
            ("mail", "{{mails}}", "post", "red"),
        )
    )
    + SERVICES,
    until=available,
    answers={
        "pods": lambda manager, _: len(manager.get("pods", selector="team=red").objects),
        "service": lambda _, given: given["broken"],
        "label": lambda _, given: given["broken"] + given["typo"],
    },
)
