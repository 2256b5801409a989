"""Those of the module's functions that change a cluster; see `api`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from notebook_mux.handles import calls
from notebook_mux.handles.questions import Names
from notebook_mux.handles.waiting import blocking

if TYPE_CHECKING:
    from notebook_mux.printing.outcome import Outcome


def apply(
    manifest: Any, *, dry_run: bool = False, force: bool = False, namespace: Names = None, cluster: Names = None
) -> Outcome:
    """Make objects be as a manifest says, by server-side apply; needs ``write`` on that cluster.

    Before anything is changed, the rights to all of it are asked for and the server rehearses each object (a
    server-side dry run), so a mistake in the last one changes none. Only what needs a namespace or a kind that the same
    manifest makes is rehearsed when that is there. Applied again it is ``unchanged``. Waits.

    ::

        nm.apply("web.yaml")
        deploy = nm.get("deploy", "web")
        deploy["spec"]["replicas"] = 3
        nm.apply(deploy, dry_run=True).diff

    Args:
        manifest: YAML or JSON as text, one or several documents; a path of a file, or of a folder whose ``.yaml``,
            ``.yml`` and ``.json`` files are taken; a dict or an object; or a list of these. A text of one line is a
            path unless it begins with ``{``. Status and what a server writes into metadata are left out. Kinds that
            others need, such as namespaces and custom kinds, come first.
        dry_run: Only ask the server what would be.
        force: Take over fields that others own.
        namespace: For objects that say none; None is the context's own.
        cluster: One of the manager's clusters, or several that are named; None is the object's own, or the only one.

    Returns:
        What was done: ``.rows``, ``.diff``, ``.objects``.

    Raises:
        WriteRefused: The cluster is connected to look only.
        Forbidden: A right is missing, or a rule of the cluster refuses it; it says which, and who says so.
        Conflict: Others own fields that would change; its ``owners`` says who and which.
        InvalidArgument: It is no manifest, an unknown field is in it, or the server refuses a value.
        NotFound: There is no such file, or no such namespace.
        Ambiguous: There are several clusters that it could be meant for.
        PartlyDone: Some of it was done; its ``outcome`` says what.
        OutcomeUnknown: The answer was lost.
    """
    return blocking(calls.change("apply", manifest, dry_run, force, namespace, cluster))


def scale(
    target: Any, replicas: int, *, dry_run: bool = False, namespace: Names = None, cluster: Names = None
) -> Outcome:
    """Set how many replicas there are; needs ``write`` on that cluster. It does not wait for the pods. Waits.

    Args:
        target: ``"deploy/web"``, an object, a row of a table's ``selected``, or several of these: whatever has a scale,
            such as deployments, stateful sets, replica sets and custom kinds with one.
        replicas: How many.
        dry_run: Only ask the server what would be.
        namespace: None is the context's own.
        cluster: One or several of the manager's clusters to look in; None is all of them.

    Returns:
        What was done: ``.rows``, ``.diff``, ``.objects``. It warns of an autoscaler that may set the number again.

    Raises:
        WriteRefused: The cluster is connected to look only.
        Forbidden: A right is missing; it says which, and who says so.
        NotFound: There is no such target.
        Ambiguous: There are two of that name, in two namespaces or clusters.
        InvalidArgument: It has no scale, or that is no number of replicas.
        PartlyDone: Of several some were done; its ``outcome`` says which.
        OutcomeUnknown: The answer was lost.
    """
    return blocking(calls.change("scale", target, replicas, dry_run, namespace, cluster))


def restart(target: Any, *, dry_run: bool = False, namespace: Names = None, cluster: Names = None) -> Outcome:
    """Have all pods replaced, one after another, as ``kubectl rollout restart``; needs ``write``. Waits.

    Args:
        target: A deployment, stateful set or daemon set as for `scale`, or several.
        dry_run: Only ask the server what would be.
        namespace: None is the context's own.
        cluster: One or several of the manager's clusters to look in; None is all of them.

    Returns:
        What was done: ``.rows``, ``.diff``, ``.objects``. It does not wait for the new pods: `expect` does.

    Raises:
        InvalidArgument: It is not restarted by itself; of a pod it says whose restart replaces it.
        WriteRefused, Forbidden, NotFound, Ambiguous, PartlyDone, OutcomeUnknown: As `scale`.
    """
    return blocking(calls.change("restart", target, dry_run, namespace, cluster))


def delete(
    target: Any,
    *,
    cascade: str = "background",
    grace: int | None = None,
    dry_run: bool = False,
    namespace: Names = None,
    cluster: Names = None,
) -> Outcome:
    """Delete objects; needs ``write`` on that cluster. It does not wait until they are gone. Waits for the answer.

    What is deleted is the very object that was found: another one that has taken its name meanwhile stays.

    Args:
        target: As for `scale`, of any kind; several as a list, or a snapshot: ``nm.get("pods", selector="app=web")``.
        cascade: What becomes of what it owns: ``"background"`` (deleted after it), ``"foreground"`` (deleted before
            it) or ``"orphan"`` (left).
        grace: Seconds that a pod has to end; None is its own.
        dry_run: Only ask the server what would be.
        namespace: None is the context's own.
        cluster: One or several of the manager's clusters to look in; None is all of them.

    Returns:
        What was done: ``.rows``, ``.diff``, ``.objects``; ``deleting`` is what has yet to end.

    Raises:
        InvalidArgument: A ``cascade`` or ``grace`` that there is not.
        WriteRefused, Forbidden, NotFound, Ambiguous, PartlyDone, OutcomeUnknown: As `scale`.
    """
    return blocking(calls.change("delete", target, cascade, grace, dry_run, namespace, cluster))
