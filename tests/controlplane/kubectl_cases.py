"""What a student types: kubectl command lines, in chains whose order matters. Chains of one stage do not meet.

A line is words as a shell splits them, with ``@node`` for the one node. Behind `` <- `` stands what the command gets on
its standard input. ``... until TEXT`` ends a command that would go on, once it has written that; ``... sorted``
compares lines whose order means nothing; ``... last`` compares the last line: how many stand before it is a matter of
time.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One command line.

    Args:
        line: As it is written in a chain.
        words: Of the command, without ``kubectl``.
        given: Its standard input.
        until: What it writes before it is ended; empty lets it end.
        ordered: Whether the order of its lines means something.
        last: Whether only the last line of its output does.
    """

    line: str
    words: str
    given: str | None = None
    until: str = ""
    ordered: bool = True
    last: bool = False


def case(line: str) -> Case:
    """Read a line of a chain."""
    words, _, how = line.partition(" ... ")
    words, arrow, given = words.partition(" <- ")
    until = how.removeprefix("until ") if how.startswith("until ") else ""
    stdin = given.replace("\\n", "\n") if arrow else None
    return Case(line, words, stdin, until, how != "sorted", how == "last")


def chain(text: str) -> list[Case]:
    """Read a chain: a line a command; what begins with ``#`` is a remark."""
    lines = (line.strip() for line in text.splitlines())
    return [case(line) for line in lines if line and not line.startswith("#")]


LOOKING = (
    chain("""
        get pods
        get pods -o wide
        get po,svc,deploy
        get all
        get pods -A
        get pods -l app=web
        get pods -l app=web -o name ... sorted
        get pods --field-selector=status.phase=Running --no-headers
        get pods --sort-by=.metadata.name
        get pods --show-labels
        get pods -L app
        get deployment web -o yaml
        get deployment web -o json
        get deployment web -o jsonpath={.spec.replicas}
        get pods -o custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[0].image
        get pods -o jsonpath='{range .items[*]}{.status.phase}{"\\n"}{end}'
        get deployment web -o go-template={{.metadata.name}}
        get pod box -o yaml
        get service kubernetes -n default -o yaml
        get configmap settings -o yaml
        get secret creds
        get pod nope
        get nonsense
        get pods -n nowhere
        get --raw /readyz
        get --raw /version
        get pods --field-selector=foo=bar
        get pods -l !
        get rs,sts,ds,jobs,cronjobs
        get events --field-selector=reason=Started ... sorted
        get endpointslices -l kubernetes.io/service-name=kubernetes -n default
        get ns
        get sa
        get nodes
        get sc,pv,pvc
        get componentstatuses
        get leases -n kube-node-lease
        get pods -w --no-headers --field-selector=metadata.name=box ... until box
        get pods --chunk-size=1 --no-headers
        get configmaps --output-watch-events -w --field-selector=metadata.name=settings ... until settings
    """),
    chain("""
        describe pod box
        describe pods -l app=web
        describe deployment web
        describe rs -l app=web
        describe service kubernetes -n default
        describe node @node
        describe configmap settings
        describe secret creds
        describe ns lab
        describe sa default
        describe job once
        describe cronjob nightly
        describe sts db
        describe ds agent
        describe quota room
        describe limits sizes
        describe pod nope
        describe ingress door
        describe netpol wall
        describe role reader
    """),
    chain("""
        version
        version -o yaml
        cluster-info
        api-resources
        api-resources --namespaced=false -o name
        api-resources --api-group=apps
        api-versions
        explain pods
        explain deployment.spec.strategy
        explain pod.spec.containers.livenessProbe --recursive
        explain cronjob --api-version=batch/v1
        explain nonsense
        explain pod.spec.nope
        auth whoami
        auth can-i create pods
        auth can-i delete nodes --as=somebody
        auth can-i get pods --as=system:serviceaccount:lab:default
        auth can-i --list --as=system:serviceaccount:lab:default
        get pods --as=system:serviceaccount:lab:default
        config view --minify -o jsonpath={.contexts[0].context.namespace}
        config current-context
        config get-contexts
        options
        kustomize kustom
        plugin list
        events --for=pod/box
        events --types=Warning
        top nodes
        top pods
    """),
    chain("""
        logs box
        logs box --tail=1
        logs box -c nope
        logs nope
        logs deploy/web --tail=1
        logs -l app=web --tail=1 --prefix
        logs box --previous
        exec box -- echo hello
        exec box -- sh -c 'exit 3'
        exec box -- no-such-program
        exec box -c nope -- true
        exec nope -- true
        exec deploy/web -- echo there
        exec -i box -- cat <- typed\\n
        exec -i box -- sh -c 'read x; echo got $x; exit 4' <- word\\n
        cp hello.txt box:/tmp/nm-hello.txt
        exec box -- cat /tmp/nm-hello.txt
        cp box:/tmp/nm-hello.txt back.txt
        port-forward pod/box :80 ... until Forwarding
        port-forward deploy/web 0:80 ... until Forwarding
        port-forward svc/nope :80
        attach nope
        wait --for=condition=Ready pod/box
        wait --for=jsonpath={.status.phase}=Running pod -l app=web ... sorted
        wait --for=condition=Ready pod/nope --timeout=1s
        wait --for=condition=Failed pod/box --timeout=1s
        wait --for=create configmap/settings --timeout=5s
    """),
)
"""Nothing is changed."""

CHANGING = (
    chain("""
        create configmap made --from-literal=a=1 --from-file=hello.txt
        create configmap made --from-literal=a=1
        create configmap Bad_Name
        create secret generic hush --from-literal=password=x
        create secret docker-registry reg --docker-username=u --docker-password=p --docker-server=r.example
        create secret tls cert --cert=cert.pem --key=key.pem
        create serviceaccount robot
        create token robot
        create token nope
        create role look --verb=get,list --resource=pods
        create rolebinding look --role=look --serviceaccount=lab:robot
        create clusterrole lab-wide --verb=get --resource=nodes
        create clusterrolebinding lab-wide --clusterrole=lab-wide --serviceaccount=lab:robot
        auth can-i list pods --as=system:serviceaccount:lab:robot
        auth reconcile -f rbac.yaml
        create quota small --hard=configmaps=50
        create priorityclass lab-high --value=1000
        create pdb keep --selector=app=web --min-available=1
        create ingress path --rule=example.com/=web:80
        create service clusterip inner --tcp=80:8080
        create service nodeport outer --tcp=80
        create service loadbalancer lb --tcp=80
        create service externalname ext --external-name=example.com
        create job hello --image=busybox -- echo hi
        create job from --from=cronjob/nightly
        create cronjob clock --image=busybox --schedule='0 0 1 1 *' -- date
        create cronjob wrong --image=busybox --schedule='nonsense'
        create deployment dep --image=nginx:1.29 --replicas=1 --dry-run=client -o yaml
        create deployment dep --image=nginx:1.29 --replicas=1
        create namespace lab-two
        create namespace lab-two
        get role look -o yaml
        get svc inner outer lb ext
        create -f many.yaml
        create -f many.yaml
        create -f wrong.yaml
        create -f wrong.yaml --validate=false
        create -f generated.yaml
        delete -f many.yaml
        describe svc inner
        get ingress path
        get pdb keep
    """),
    chain("""
        apply -f app.yaml
        apply -f app.yaml
        diff -f app.yaml
        diff -f app-two.yaml
        apply -f app-two.yaml
        apply -f app-two.yaml --dry-run=server
        apply view-last-applied configmap/app
        apply -f app.yaml --server-side
        apply -f app.yaml --server-side --force-conflicts
        get configmap app -o yaml --show-managed-fields
        apply -k kustom
        edit configmap app
        edit configmap app
        patch configmap app -p '{"data":{"color":"green"}}'
        patch configmap app --type=merge -p '{"data":{"color":null}}'
        patch configmap app --type=json -p '[{"op":"add","path":"/data/size","value":"L"}]'
        patch configmap app --type=json -p '[{"op":"test","path":"/data/size","value":"S"}]'
        patch configmap app -p '{"data":{"color":"green"}}' --dry-run=server -o yaml
        patch deployment app -p '{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":5}}}}'
        patch deployment app --subresource=scale --type=merge -p '{"spec":{"replicas":2}}'
        # or what its status is then would be a change
        rollout status deployment/app --timeout=60s ... last
        wait --for=jsonpath={.status.terminatingReplicas}=0 deployment/app --timeout=60s
        patch deployment app -p '{"spec":{"replica":3}}'
        patch deployment app -p '{"spec":{"selector":{"matchLabels":{"app":"other"}}}}'
        replace -f app.yaml
        create -f several.yaml
        replace -f several.yaml
        delete -f several.yaml
        replace --force -f single.yaml
        label configmap app tier=one
        label configmap app tier=two
        label configmap app tier=two --overwrite
        label configmap app tier-
        label configmap app 'bad key=x'
        label pods -l app=web lab=yes ... sorted
        annotate configmap app note=hello
        annotate configmap app note-
        delete configmap app
        delete configmap app
        delete configmap app --ignore-not-found
        delete deployment app --cascade=orphan
        get rs -l app=app
        delete rs -l app=app --wait=true
        delete pod lone --grace-period=0 --force
        delete pod lone
        delete deployments --all --dry-run=server
        delete
        delete nonsense x
    """),
    chain("""
        rollout status deployment/web ... last
        rollout history deployment/web
        set image deployment/web web=nginx:1.30
        rollout status deployment/web --timeout=60s ... last
        annotate deployment/web kubernetes.io/change-cause=second
        rollout history deployment/web
        rollout history deployment/web --revision=2
        rollout undo deployment/web
        rollout status deployment/web --timeout=60s ... last
        rollout undo deployment/web --to-revision=99
        rollout pause deployment/web
        rollout pause deployment/web
        rollout resume deployment/web
        rollout restart deployment/web
        rollout status deployment/web --timeout=60s ... last
        rollout restart sts/db
        rollout status sts/db --timeout=60s ... last
        rollout history sts/db
        rollout history ds/agent
        set env deployment/web MODE=fast
        set env deployment/web --list
        set resources deployment/web --limits=cpu=200m
        set serviceaccount deployment/web default
        set selector service/inner app=x --dry-run=client
        set image deployment/web nope=nginx
        rollout status deployment/web --timeout=60s ... last
        scale deployment/web --replicas=3
        scale deployment/web --replicas=1 --current-replicas=7
        scale deployment/nope --replicas=1
        rollout status deployment/web --timeout=60s ... last
        scale sts/db --replicas=0
        rollout status sts/db --timeout=60s ... last
        wait --for=delete pod/never-was --timeout=5s
        autoscale deployment/web --min=1 --max=4 --cpu=80%
        get hpa web
        describe hpa web
        delete hpa web
        expose deployment/web --port=80 --target-port=8080
        expose deployment/web --port=80
        describe service web
        get endpointslices -l kubernetes.io/service-name=web
        get endpoints web
        describe endpoints web
    """),
    chain("""
        run one --image=nginx:1.29 --port=80 --labels=a=b --dry-run=client -o yaml
        run one --image=nginx:1.29 --port=80
        run one --image=nginx:1.29
        run 'Bad Name' --image=nginx
        wait --for=condition=Ready pod/one --timeout=60s
        expose pod/one --port=80 --name=one-svc
        run broken --image=missing.example/x:1
        debug one --image=busybox:1.37 -c helper -- sleep 1000
        debug one --image=busybox:1.37 --copy-to=one-copy -- sleep 1000
        get pod one -o jsonpath={.spec.ephemeralContainers[*].name}
        debug node/@node --image=busybox:1.37 -- sleep 1000
        get pods broken
        delete pod one one-copy broken --now
        apply -f crd.yaml
        wait --for=condition=Established crd/cars.lab.example.com --timeout=30s
        get crd cars.lab.example.com
        get cars
        apply -f car.yaml
        get cars
        get car red -o yaml
        describe car red
        patch car red --type=merge -p '{"spec":{"wheels":"x"}}'
        patch car red -p '{"spec":{"wheels":3}}'
        explain cars.spec
        scale car red --replicas=2
        api-resources --api-group=lab.example.com
        delete crd cars.lab.example.com
        create -f csr.yaml
        get csr lab-user
        certificate approve lab-user
        describe csr lab-user
        certificate deny nope
        delete csr lab-user
        create -f rc.yaml
        wait --for=jsonpath={.status.readyReplicas}=2 rc/old --timeout=60s
        get rc old -o wide
        describe rc old --show-events=false
        scale rc/old --replicas=1
        rollout status rc/old
        expose rc old --port=80
        get rc old -o yaml
        delete rc old
        delete service old
    """),
    chain("""
        label node @node zone=a
        taint node @node lab=x:PreferNoSchedule
        taint node @node lab=x:PreferNoSchedule
        taint node @node lab-
        taint node @node lab-
        annotate node @node note=1
        describe clusterrole view
        get clusterrole admin -o name
        delete ns lab-three --ignore-not-found
        cordon nope
    """),
)
"""Each chain has objects of its own."""

NODES = (
    chain("""
        cordon @node
        cordon @node
        get nodes
        drain @node
        drain @node --ignore-daemonsets --delete-emptydir-data --force --dry-run=server ... sorted
        uncordon @node
        uncordon @node
        delete namespace lab-two
        delete pods --all --now ... sorted
    """),
)
"""What the other chains would feel."""

STAGES = (LOOKING, CHANGING, NODES)


def names() -> list[str]:
    """The names of all cases: their lines, with a number behind those that stood before."""
    found: list[str] = []
    for stage in STAGES:
        for chain_ in stage:
            for one in chain_:
                before = sum(name.partition(AGAIN)[0] == one.line for name in found)
                found.append(f"{one.line}{AGAIN}{before + 1}" if before else one.line)
    return found


AGAIN = "  #"
