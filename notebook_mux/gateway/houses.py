"""A gateway of several users: each has a house of their own, with all that a gateway of one user has.

Sessions, terminals, programs, ports, tickets, identities and upstream watches are looked up in the house of whoever
asks and nowhere else, so that a number, a name or an id of somebody else's means nothing there. A token decides which
house it is, before anything else is looked at.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections.abc import Iterable, Iterator
from typing import Any

from notebook_mux.forwards.forwards import Forwards, Held
from notebook_mux.gateway.kubectl.serving import Kubectl
from notebook_mux.gateway.limits import ONE_OF_MANY, Limits
from notebook_mux.gateway.shared import Shared
from notebook_mux.gateway.users import Person, digest
from notebook_mux.remote.programs import Programs
from notebook_mux.remote.terminals import Terminals
from notebook_mux.wire.messages import Source

DOOR_BYTES = 8
"""Of the word in the path of a user's pages, which tells the houses apart and is no secret: a ticket is asked for."""

REVOKED = "revoked"

log = logging.getLogger(__name__)


class Houses:
    """All of them. On the gateway's loop.

    Args:
        own: The house of whoever runs the gateway; what all have in common is taken from it.
        limits: Of one user.
    """

    def __init__(self, own: Shared, limits: Limits = ONE_OF_MANY) -> None:
        self._own = own
        self._limits = limits
        self._houses: dict[Person, Shared] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[Shared]:
        return iter(list(self._houses.values()))

    def __len__(self) -> int:
        return len(self._houses)

    # --- finding --------------------------------------------------------------------------------------------------

    def of_token(self, token: str) -> Shared | None:
        """The house that a token opens."""
        shown = digest(token)
        # Each is compared, and all of it, so that the time tells nothing.
        right = [house for person, house in self._houses.items() if hmac.compare_digest(person.digest, shown)]
        return right[0] if right else None

    def of_page(self, path: str) -> Shared | None:
        """The house whose pages come by a path."""
        return next((house for house in self if house.page_path == path), None)

    def by_secret(self, secret: str) -> Held | None:
        """The forward, of whatever house, whose pages `secret` opens."""
        found = [house.forwards.by_secret(secret) for house in (self._own, *self)]
        return next((held for held in found if held is not None), None)

    # --- who there is ---------------------------------------------------------------------------------------------

    def apply(self, people: Iterable[Person]) -> None:
        """Let these in and nobody else: who has gone, or has another token, kubeconfig or right, is cut off at once."""
        wanted = dict.fromkeys(people)
        for person in [one for one in self._houses if one not in wanted]:
            house = self._houses.pop(person)
            task = asyncio.create_task(close(house, REVOKED, "the token is not good any more", "ask for another link"))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
            log.info("%s is let in no more", person.name)
        for person in wanted:
            if person not in self._houses:
                self._houses[person] = self._made(person)
                log.info("%s may come in", person.name)

    def _made(self, person: Person) -> Shared:
        own, most = self._own, self._limits
        return Shared(
            instance=own.instance,
            own=Source(kubeconfig=[str(person.kubeconfig)], env=own.own.env if own.own is not None else {}),
            write=person.write != "no",
            unasked=person.write == "always",
            user=person.name,
            limits=most,
            turns=asyncio.Semaphore(most.turns),
            programs=Programs(most=most.programs),
            terminals=Terminals(most=most.terminals),
            forwards=Forwards(most=most.forwards),
            kubectl=Kubectl(own.kubectl.host, most.requests),
            load=own.load,
            package=own.package,
            port=own.port,
            page_path=f"{own.page_path}/{secrets.token_hex(DOOR_BYTES)}",
        )

    def report(self) -> list[dict[str, Any]]:
        """Who is there, for whoever runs the gateway: counts, and nothing of what they do."""
        return [
            {
                "name": person.name,
                "write": person.write,
                "clients": len(house.sessions),
                "streams": house.streams,
                "terminals": len(house.terminals),
                "upstreams": len(house.upstreams),
                "served": house.served,
                "last": max((session.since for session in house.sessions), default=house.last),
            }
            for person, house in self._houses.items()
        ]

    async def aclose(self) -> None:
        """End all that is kept; their clients have had their goodbye."""
        for house in self:
            await end_kept(house)
        await asyncio.gather(*self._ending, return_exceptions=True)


async def close(house: Shared, code: str, what: str, todo: str) -> None:
    """End a house: its clients get a word and are cut off, and what is kept for them ends."""
    ended = [one.ended for one in house.sessions] + [one.ended for one in house.pages]
    for session in house.sessions:
        session.end(code, what, todo)
    for page in house.pages:
        page.end()
    await asyncio.gather(*(one.wait() for one in ended))
    await end_kept(house)


async def end_kept(house: Shared) -> None:
    """End terminals, programs, ports, what is served to kubectl, and connections to clusters."""
    await house.kubectl.close()
    await house.terminals.aclose()
    await house.programs.aclose()
    await house.forwards.aclose()
    await house.upstreams.aclose()
    await house.clusters.aclose()
