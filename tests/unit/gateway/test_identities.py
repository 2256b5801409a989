from __future__ import annotations

from pathlib import Path

from notebook_mux.gateway import identities
from notebook_mux.gateway.entries import Oidc, Plugin, Server, User
from notebook_mux.gateway.identities import reference


def test_what_is_part_of_it():
    server = Server(url="https://c")
    oidc = Oidc("https://i", "c", "", "token", "refresh", Path("/f"), "u")
    users = [
        User(), User(token="t"), User(token_file=Path("/t")), User(impersonate="jane"), User(plugin=Plugin("x")),
        User(plugin=Plugin("x", env={"HTTPS_PROXY": "http://a:b@p"})),
        User(plugin=Plugin("x", env={"HTTPS_PROXY": "http://a:c@p"})), User(oidc=oidc),
    ]  # fmt: skip
    found = {reference(server, user) for user in users}
    assert len(found) == len(users)
    assert reference(server, User(name="a")) == reference(server, User(name="b")), "an entry's name is none"


def test_a_proxy_s_password_cannot_be_guessed_from_it_quickly():
    """Each guess costs a scrypt; many contexts behind one proxy cost one."""
    identities._slowly.cache_clear()
    for number in range(100):
        reference(Server(url=f"https://{number}", proxy="http://me:pw@proxy"), User())
    reference(Server(url="https://c", proxy="http://proxy"), User(token="t@x"))
    assert (identities._slowly.cache_info().misses, identities._slowly.cache_info().hits) == (1, 99)
    for url in ("http://me:pw@p", "socks5://me:p%40w@p:1", "me:pw@p:3128", "HTTP://:pw@p"):
        identities._slowly.cache_clear()
        reference(Server(url="https://c", proxy=url), User())
        assert identities._slowly.cache_info().misses == 1, url
