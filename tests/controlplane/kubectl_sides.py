"""Runs the lines of `kubectl_cases` by a stock kubectl on the playground and on the real control plane."""

from __future__ import annotations

import base64
import datetime
import difflib
import json
import re
import shlex
import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.controlplane.kubectl_cases import STAGES, Case, names
from tests.testbed import build

FILES = Path(__file__).with_name("kubectl_files")
NAMESPACE = "lab"
SECONDS = 90.0
"""For one command: the longest waits a minute for a roll-out."""
AT_ONCE = 3
"""Chains of one side: kubectl needs a core for a tenth of a second to begin with."""
ENDED = 0
"""In place of the exit code of a command that was ended after it had written what was waited for."""

_LETTER = "[bcdfghjklmnpqrstvwxz2456789]"
_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?(Z|[+-]\d\d:?\d\d))?( UTC| m=\S+)*"
NORMAL: tuple[tuple[str, str], ...] = (
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UID"),
    (_TIME, "TIME"),
    (r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "TIME"),
    (r"\beyJ[\w.-]{20,}", "TOKEN"),
    (r"https://127\.0\.0\.1:\d+", "SERVER"),
    (r"(127\.0\.0\.1|\[::1\]):\d+ ->", r"\1:PORT ->"),
    (r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(/\d\d)?\b", "IP"),
    (r"(\"?resourceVersion\"?: )\"\d+\"", r'\1"VERSION"'),
    (r"(Resource Version:\s+)\d+", r"\1VERSION"),
    (rf"-{_LETTER}{{6,10}}-{_LETTER}{{5}}\b", "-HASH-XXXXX"),
    (rf"(pod-template-hash\W{{1,4}}|-){_LETTER}{{6,10}}\b", r"\1HASH"),
    (rf"\b(agent|once|hello|from|generated|kubernetes|web|inner|controller-revision-hash\W+\w+)-{_LETTER}{{5}}\b",
     r"\1-XXXXX"),
    (r"\b(kube-api-access|debugger)-\w{5}\b", r"\1-XXXXX"),
    (rf"(controller-revision-hash=){_LETTER}+", r"\1HASH"),
    (r"/tmp/(LIVE|MERGED)-\d+", r"/tmp/\1"),
    (rf"(node-debugger-node-\d)-{_LETTER}{{5}}\b", r"\1-XXXXX"),
    (r"\bnode-\d\b", "NODE"),
    (r"\.[0-9a-f]{16}\b", ".EVENT"),
    (r"\b(\d+d\d+h|\d+h\d+m|\d+m\d+s|[\d.]+s|\d+[hd]|[2-9]m)\b|<invalid>", "AGE"),
    (r"\b3[0-2]\d{3}\b", "NODEPORT"),
    (r"(?<=\S) {2,}", "  "),
    (r"-{3,}", "---"),
    (r" +$", ""),
)  # fmt: skip
"""What two servers choose for themselves, in its order: uids, times, addresses, generated ends of names, widths."""


@dataclass(frozen=True)
class Outcome:
    """What a command did, normalised."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Pair:
    """One line on both sides."""

    ours: Outcome
    real: Outcome

    @property
    def same_code(self) -> bool:
        """Whether the exit codes are the same."""
        return self.ours.code == self.real.code

    @property
    def same_output(self) -> bool:
        """Whether what is written is the same, apart from what two servers choose."""
        return (self.ours.out, self.ours.err) == (self.real.out, self.real.err)

    @property
    def same(self) -> bool:
        """Whether nobody sees a difference."""
        return self.same_code and self.same_output

    def difference(self) -> str:
        """Lines of ours and of the real one's that the other has not."""
        shown = []
        for name, ours, real in (("stdout", self.ours.out, self.real.out), ("stderr", self.ours.err, self.real.err)):
            lines = difflib.unified_diff(real.splitlines(), ours.splitlines(), f"real {name}", f"playground {name}",
                                         n=0, lineterm="")  # fmt: skip
            shown += lines
        if not self.same_code:
            shown.append(f"exit code: real {self.real.code}, playground {self.ours.code}")
        return "\n".join(shown)


def normal(text: str, *, ordered: bool = True) -> str:
    """Output without what two servers choose for themselves."""
    for pattern, instead in NORMAL:
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    return text if ordered else "\n".join(sorted(text.splitlines()))


class Side:
    """One API server and a folder to work in.

    Args:
        kubeconfig: Of its administrator.
        folder: New; files, cache and kubeconfig are in it.
    """

    def __init__(self, kubeconfig: Path, folder: Path):
        shutil.copytree(FILES, folder)
        self._folder = folder
        self._node = ""
        config: dict[str, Any] = yaml.safe_load(kubeconfig.read_text())
        (folder / "kubeconfig").touch(0o600)
        (folder / "kubeconfig").write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "lab",
            "clusters": [{"name": "lab", "cluster": config["clusters"][0]["cluster"]}],
            "users": [{"name": "student", "user": config["users"][0]["user"]}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "student", "namespace": NAMESPACE}}],
        }))  # fmt: skip
        _write_keys(folder)

    def prepare(self) -> None:
        """What the lines speak of: a namespace and what is in `base.yaml`, running."""
        self._must("apply", "-f", "namespace.yaml")
        self._must("wait", "--for=create", "serviceaccount/default", "--timeout=60s")
        self._must("apply", "-f", "base.yaml")
        for what in ("deployment/web", "sts/db", "ds/agent"):
            self._must("rollout", "status", what, "--timeout=80s")
        self._must("wait", "--for=condition=Ready", "pod/box", "--timeout=60s")
        self._must("wait", "--for=condition=Complete", "job/once", "--timeout=60s")
        self._node = self._must("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")

    def run(self) -> list[Outcome]:
        """All lines, stage after stage; in the order of `kubectl_cases.names`."""
        found: list[Outcome] = []
        for stage in STAGES:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                for outcomes in list(pool.map(self._chain, stage)):
                    found += outcomes
        return found

    def _chain(self, cases: list[Case]) -> list[Outcome]:
        return [self._case(one) for one in cases]

    def _case(self, one: Case) -> Outcome:
        words = [word.replace("@node", self._node) for word in shlex.split(one.words)]
        code, out, err = self._until(words, one.until) if one.until else self._whole(words, one.given)
        out, err = (normal(text.replace(str(self._folder), "FOLDER"), ordered=one.ordered) for text in (out, err))
        return Outcome(code, out.splitlines()[-1] if one.last and out else out, err)

    def _must(self, *words: str) -> str:
        code, out, err = self._whole(list(words), None)
        assert code == 0, f"kubectl {' '.join(words)}: {err}"
        return out

    def _command(self, words: list[str]) -> list[str]:
        command = [str(build.control_plane_binary()), "kubectl", "--kubeconfig", "kubeconfig", "--cache-dir", "cache"]
        return [*command, *words]

    @property
    def _environ(self) -> dict[str, str]:
        path = "/usr/local/bin:/usr/bin:/bin"
        return {"HOME": str(self._folder), "PATH": path, "KUBE_EDITOR": "sed -i s/size/girth/", "LANG": "C"}

    def _whole(self, words: list[str], given: str | None) -> tuple[int, str, str]:
        try:
            done = subprocess.run(
                self._command(words), input=given or "", capture_output=True, text=True, timeout=SECONDS, check=False,
                cwd=self._folder, env=self._environ,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            return -1, str(error.stdout or ""), f"not over after {SECONDS:g} s"
        return done.returncode, done.stdout, done.stderr

    def _until(self, words: list[str], text: str) -> tuple[int, str, str]:
        with subprocess.Popen(self._command(words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              cwd=self._folder, env=self._environ) as process:  # fmt: skip
            assert process.stdout is not None
            ender = threading.Timer(SECONDS, process.kill)
            ender.start()
            out = ""
            while text not in out and (line := process.stdout.readline()):
                out += line
            ender.cancel()
            if text in out:
                process.terminate()
            _, err = process.communicate()
        return (ENDED if text in out else process.returncode), out, err


def _write_keys(folder: Path) -> None:
    """A certificate with its key, and a request for one."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab-user")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now,
                                          now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())  # fmt: skip
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    csr = {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": "lab-user"},
        "spec": {
            "request": base64.b64encode(request.public_bytes(pem)).decode(),
            "signerName": "kubernetes.io/kube-apiserver-client",
            "usages": ["client auth"],
        },
    }
    (folder / "csr.yaml").write_text(yaml.safe_dump(csr))


def compared(ours: Path, real: Path, folder: Path) -> dict[str, Pair]:
    """Run all lines on both at once.

    Args:
        ours: The playground's kubeconfig; its cluster has one node.
        real: The control plane's, which has one node too.
        folder: To work in.
    """
    sides = Side(ours, folder / "playground"), Side(real, folder / "real")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(Side.prepare, sides))
        mine, theirs = pool.map(Side.run, sides)
    return {name: Pair(*both) for name, *both in zip(names(), mine, theirs, strict=True)}
