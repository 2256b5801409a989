"""Lesson 05: what a container's log, its exit code and its back-off say, and how to end a crash loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notebook_mux.lessons.lesson import Lesson

CRASHES = 2
"""After the second one there is a back-off to be seen."""


def _crashes(pod: Mapping[str, Any]) -> bool:
    return any(one["restartCount"] >= CRASHES for one in pod["status"].get("containerStatuses", ()))


LESSON = Lesson(
    number="05",
    title="Logs and crash loops",
    minutes=20,
    goals=(
        "See in a list of pods which one crashes, and how often it has.",
        "Read its exit code, and the log of the container that is gone.",
        "Say why Kubernetes waits longer after each crash.",
        "Mend the cause, and see that the crashes end.",
    ),
    steps=("Look around", "The exit code", "The log", "Why it waits", "Mend it", "Check"),
    check="The crashing deployment is ready, and the exit code and the ticket's number are what they were.",
    choices={
        "culprit": ("billing", "mailer", "search", "stock"),
        "code": range(3, 100),
        "ticket": range(1000, 10000),
        "limit": range(120, 900, 10),
    },
    objects="""
apiVersion: apps/v1
kind: Deployment
metadata: {name: front}
spec:
  replicas: 2
  selector: {matchLabels: {app: front}}
  template:
    metadata: {labels: {app: front}}
    spec:
      containers: [{name: front, image: "nginx:1.29.0"}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart}
spec:
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec:
      containers: [{name: cart, image: "nginx:1.29.0"}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: "{{culprit}}"}
spec:
  selector: {matchLabels: {app: "{{culprit}}"}}
  template:
    metadata: {labels: {app: "{{culprit}}"}}
    spec:
      containers:
      - name: "{{culprit}}"
        image: busybox:1.37
        env:
        - {name: LIMIT, value: "{{limit}}"}
        command:
        - sh
        - -c
        - |
          echo "INFO {{culprit}} starts, LIMIT is $LIMIT"
          sleep 1
          [ $LIMIT -le 100 ] || echo "ERROR LIMIT=$LIMIT is more than 100, see ticket {{ticket}}"
          [ $LIMIT -le 100 ] || echo "INFO {{culprit}} gives up"
          [ $LIMIT -le 100 ] || exit {{code}}
          for n in $(seq 1 1000); do echo "INFO job $n done"; sleep 3; done
          sleep infinity
""",
    until=lambda manager: manager.watch("pods").wait(_crashes, of=1),
    answers={
        "deployment": lambda _, given: given["culprit"],
        "exit code": lambda _, given: given["code"],
        "ticket": lambda _, given: given["ticket"],
    },
)
