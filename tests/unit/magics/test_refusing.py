from __future__ import annotations

import pytest

from notebook_mux.errors import InvalidArgument
from notebook_mux.magics.refusing import check
from notebook_mux.magics.words import read


@pytest.mark.parametrize(
    ("line", "what", "todo"),
    [
        ("gte pods", "no command 'gte'", "did you mean get"),
        ("krew", "no command 'krew'", "plugins are not run"),
        ("get po --kubeconfig /tmp/x", "--kubeconfig is decided", "nm.connect(kubeconfig=...)"),
        ("get po -s https://evil.example", "--server is decided", "!kubectl"),
        ("get po --token=x", "--token is decided", "!kubectl"),
        ("config view --raw --kubeconfig=/tmp/x", "--kubeconfig is decided", "!kubectl"),
        ("get po --insecure_skip_tls_verify", "--insecure-skip-tls-verify is decided", "!kubectl"),
        ("create rolebinding x --user=jane --token=x", "--token is decided", "!kubectl"),
        ("create role x --user=jane", "--user is decided", "!kubectl"),
        ("exec -it web-0 -- bash", "needs a terminal", "nm.shell('web-0')"),
        ("exec -it deploy/web -- ls -l", "needs a terminal", "nm.exec('deploy/web', ['ls', '-l'])"),
        ("attach -ti web-0", "needs a terminal", "nm.shell('web-0', attach=True)"),
        ("debug -it web-0 --image=alpine", "needs a terminal", "nm.shell('web-0', image='alpine')"),
        ("run -it tmp --image=alpine -- sh", "needs a terminal", "%kubectl run tmp --image=alpine -- sh"),
        ("edit deploy web", "opens an editor", "%%kubectl apply -f -"),
        ("create deploy web --image=web --edit", "opens an editor", "%%kubectl apply -f -"),
        ("apply edit-last-applied deploy/web", "opens an editor", "%%kubectl apply -f -"),
        ("port-forward svc/web 8080:80", "hold the cell", "nm.port_forward('svc/web', 80)"),
        ("proxy --port=8001", "hold the cell", "--raw"),
        ("config use-context prod", "change the notebook's own", "--context"),
        ("config set-context --current --namespace=lab", "change the notebook's own", "nm.connect(..., namespace"),
    ],
)
def test_what_a_cell_cannot_do(line: str, what: str, todo: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        check(read(line))
    assert what in caught.value.what
    assert todo in str(caught.value.todo)


@pytest.mark.parametrize(
    "line",
    ["", "get po", "exec web -- sh -it", "exec -i web -- cat", "run web --image=web", "debug node/n1 --image=x",
     "config view", "config get-contexts", "config current-context", "logs -f web", "--help", "get --help",
     "exec --tty=false web -- ls", "create rolebinding x --clusterrole=view --user=jane", "get --raw /api -v9",
     "create clusterrolebinding x --clusterrole=view --user jane", "set subject rolebinding x --user=jane"],
)  # fmt: skip
def test_what_it_can(line: str) -> None:
    check(read(line))
