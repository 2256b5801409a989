"""Lesson 06: what a program sees that runs in a container, and how one looks at it from within."""

from __future__ import annotations

from notebook_mux.lessons.lesson import Lesson, available

LESSON = Lesson(
    number="06",
    title="Inside a container",
    minutes=20,
    goals=(
        "Run a command in a container, and open a shell there.",
        "Say where its files and its environment come from.",
        "Say what is lost with a pod, and what stays.",
        "Reach another part of the application by its name.",
    ),
    steps=("One command", "A shell", "What stays, what goes", "Names", "Give it a page", "Check"),
    check="You have found the pin and the address, and the shop shows a page with the word.",
    choices={
        "pin": range(1000, 10000),
        "folder": ("shop", "store", "market", "kiosk"),
        "word": ("apple", "cherry", "lemon", "melon", "olive", "peach", "plum", "quince"),
    },
    objects="""
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data:
  till.ini: |
    # What the till needs to know.
    currency = EUR
    pin = {{pin}}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec:
  selector: {app: shop}
  ports: [{port: 80}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
      - name: shop
        image: nginx:1.29.0
        env:
        - {name: WORD, value: "{{word}}"}
        volumeMounts:
        - {name: settings, mountPath: "/etc/{{folder}}"}
        - {name: page, mountPath: /usr/share/nginx/html}
      volumes:
      - name: settings
        configMap: {name: settings}
      - name: page
        configMap: {name: page, optional: true}
""",
    until=available,
    answers={
        "pin": lambda _, given: given["pin"],
        "address": lambda manager, _: manager.get("services", "shop")["spec"]["clusterIP"],
    },
)
