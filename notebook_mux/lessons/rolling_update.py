"""Lesson 04: from one version to the next while the program goes on to serve, and back when the next one is bad."""

from __future__ import annotations

from notebook_mux.lessons.lesson import Lesson, available

IMAGE = "ghcr.io/example/shop"
RELEASES = ("2.2.0", "2.3.0", "2.4.0")
"""One of them does not work; what came before them does."""

LESSON = Lesson(
    number="04",
    title="Rolling update",
    minutes=20,
    goals=(
        "Bring a program to another version while it goes on to serve.",
        "Say how many pods there are at most, and at least, meanwhile.",
        "See that a roll-out is stuck, and why nobody notices outside.",
        "Go back to what worked.",
    ),
    steps=("What runs", "A new version", "How many at once", "One of them is bad", "Back, and on", "Check"),
    check="The bad release is found, and the shop runs the newest that works.",
    choices={
        "bad": RELEASES,
        "fault": ("no-image", "crash 1", "unready"),
        "replicas": range(4, 7),
        "surge": range(2, 5),
        "missing": range(3),
    },
    objects=f"""
apiVersion: v1
kind: Service
metadata: {{name: shop}}
spec:
  selector: {{app: shop}}
  ports: [{{port: 80, targetPort: 8080}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop}}
spec:
  replicas: {{{{replicas}}}}
  progressDeadlineSeconds: 30
  strategy:
    type: RollingUpdate
    rollingUpdate: {{maxSurge: {{{{surge}}}}, maxUnavailable: {{{{missing}}}}}}
  selector: {{matchLabels: {{app: shop}}}}
  template:
    metadata:
      labels: {{app: shop}}
      annotations: {{"playground.notebook-mux/behaviour.{{{{bad}}}}": "{{{{fault}}}}"}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: shop
        image: {IMAGE}:2.0.0
        ports: [{{name: http, containerPort: 8080}}]
        readinessProbe:
          httpGet: {{path: /healthz, port: http}}
          periodSeconds: 1
""",
    until=available,
    answers={
        "bad": lambda _, given: given["bad"],
        "most": lambda _, given: given["replicas"] + given["surge"],
        "least": lambda _, given: given["replicas"] - given["missing"],
        "image": lambda _, given: f"{IMAGE}:{max(one for one in RELEASES if one != given['bad'])}",
    },
)
