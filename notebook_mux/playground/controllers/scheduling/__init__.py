"""How a node is found for a pod: what is known of nodes, what rules nodes out, what speaks for them, whom to preempt.

Without input or output; `controllers.scheduler` has the queue and does what is decided here. The plug-ins, their order
and their words are those of kube-scheduler's default profile (kubernetes.io/docs, "Scheduler Configuration").
"""
