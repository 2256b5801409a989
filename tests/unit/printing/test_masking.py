from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from notebook_mux.printing.masking import MASKED, masked, masked_lines, masker

JWT = "eyJhbGciOiJSUzI1NiIsImtpZCI6IiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJlLXdpdGgtYnl0ZXM"
GITHUB = "ghp_" + "a1B2c3D4e5" * 3 + "abcdef"
SLACK = "xoxb-" + "123456789012-abcdefGHIJKL"
AWS = "AKIA" + "IOSFODNN7EXAMPLE"

SECRETS = [
    ("Authorization: Bearer abc.def-123", "abc.def-123"),
    ("authorization=Bearer abcdef status=200", "abcdef "),
    ('"Authorization":["Bearer abcdef123456"]', "abcdef123456"),
    ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA"),
    ("> Proxy-Authorization: Digest username=x, response=abc", "response=abc"),
    ("Cookie: session=abc; other=def", "def"),
    ("Set-Cookie: sid=s%3Aabc; Path=/", "s%3Aabc"),
    ("sent Bearer a1b2c3d4e5f6 upstream", "a1b2c3d4e5f6"),
    ("basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA"),
    (f"token {JWT}", JWT[40:]),
    (f"id={JWT}", JWT[:20]),
    (f'{{"jwt":"{JWT}"}}', JWT[:20]),
    ("password=hunter2", "hunter2"),
    ("PASSWORD: hunter", "hunter"),
    ("user=me pass=hunter2", "hunter2"),
    ("PGPASSWORD=hunter", "hunter"),
    ("SECRET_KEY_BASE=abcdef", "abcdef"),
    ('{"auths":{"r.example":{"auth":"bWU6aHVudGVyMg=="}}}', "bWU6"),
    ("DB_PASSWORD=hunter2 next", "hunter2"),
    ("dbPassword: 'hun ter2'", "ter2"),
    ('{"password":"hun\\"ter2","user":"me"}', "ter2"),
    ('msg="{\\"token\\":\\"abc\\",\\"n\\":1}"', "abc"),
    ("passwd => hunter2", "hunter2"),
    ("pwd=hunter2;", "hunter2"),
    ("password=1234", "1234"),
    ("x-api-key: a1b2c3d4e5", "a1b2c3d4e5"),
    ("api_key='abc'", "'abc"),
    ("apiKey=abc", "abc"),
    ("client_secret=abc&x=1", "abc"),
    ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"),
    (f"using {AWS}", AWS),
    (f"aws_access_key_id = {AWS}", AWS),
    ("refresh_token: 1//0abcdefghijklmnopqrstuv", "abcdefghijk"),
    ("access_token=abc", "abc"),
    ("AccountKey=abcdef==;EndpointSuffix=core", "abcdef"),
    ("postgres://app:hunter2@db:5432/x", "hunter2"),
    ("amqp://app:p@ss@mq/", "p@ss"),
    ("redis://:hunter2@cache:6379", "hunter2"),
    ("https://0123456789abcdef0123456789abcdef@sentry.example/1", "0123456789abcdef"),
    ("GET /x?sig=abc%2F&b=1", "abc%2F"),
    ("https://b.s3/x?X-Amz-Credential=A/1&X-Amz-Signature=abcdef", "abcdef"),
    ("https://hooks.slack.com/services/T0/B0/abcdef", "abcdef"),
    (f"pushing with {GITHUB}", GITHUB),
    ("github_pat_" + "a1B2" * 10, "a1B2a1B2"),
    (f"slack says {SLACK}", SLACK),
    ("glpat-" + "a1B2c3D4e5f6g7H8i9J0", "a1B2c3"),
    ("AIza" + "a" * 35, "a" * 35),
    ("sk_live_" + "a1B2c3D4e5f6g7H8", "a1B2c3"),
    ("sk-ant-api03-" + "a1B2c3D4e5f6g7H8", "a1B2c3"),
    ("npm_" + "a1" * 18, "a1a1"),
    ("kubeadm join --token abcdef.0123456789abcdef", "0123456789abcdef"),
    ("mysql --password hunter2 -h db", "hunter2"),
    ("-----BEGIN RSA PRIVATE KEY-----\\nMIIEow\\n-----END RSA PRIVATE KEY-----", "MIIEow"),
    ("key: -----BEGIN PRIVATE KEY-----MIIEow", "MIIEow"),
]

HARMLESS = [
    "token: expired",
    "unexpected token: identifier",
    "unexpected token < in JSON at position 0",
    "invalid token: unexpected end of input",
    "pass=12 fail=3, bypass=yes",
    "all tests pass: yes",
    '{"auth":"ok"}',
    "tokens=512 max_tokens=4096 token_count=17",
    "secret: not found",
    'MountVolume.SetUp failed for volume "tls" : secret "db-credentials" not found',
    "secretName: db",
    'secrets "web" is forbidden: User "dev" cannot get resource "secrets"',
    "PWD=/root OLDPWD=/",
    "password=",
    "password: ''",
    "password=null token=false",
    "password=*** token=[REDACTED] secret=${DB_SECRET}",
    "authorization: denied",
    "authorization: denied by policy",
    "basic authentication failed",
    "the bearer of bad news",
    "https://example.com/a:b@c",
    "https://me@example.com/",
    "GET http://web:8080/path?page=2&size=10 200",
    "git@github.com:org/repo.git",
    "image: registry.example/app@sha256:0123456789abcdef0123456789abcdef",
    "eyJ is how they begin",
    "request id 7f3e91c0-4a2b-4d4e-9b1a-7f3e91c04a2b",
    "commit 0123456789abcdef0123456789abcdef01234567",
    "secret-controller started",
    "-----BEGIN CERTIFICATE-----",
    "keyboard: us, monkey=1",
    'I0102 15:04:05.123456 1 main.go:12] "starting" tokenTTL=3600',
    "",
]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_what_is_masked(text: str, secret: str) -> None:
    found = masked(text)
    assert secret not in found
    assert MASKED in found
    assert masked(found) == found


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_not(text: str) -> None:
    assert masked(text) == text


@given(st.text(max_size=300) | st.text("paswordtkn=:\"'\\{}- ?&/@.eyJ0", max_size=80))
def test_no_text_is_too_strange(text: str) -> None:
    mask = masker()
    assert mask("a", text) == masked(text)
    assert masked_lines([("a", text), ("b", text)])[0] == masked(text)


def test_what_stands_around_it_stays() -> None:
    assert masked("DB_PASSWORD=hunter2 next") == f"DB_PASSWORD={MASKED} next"
    assert masked('{"password":"x\\"y","user":"me"}') == f'{{"password":"{MASKED}","user":"me"}}'
    assert masked("postgres://app:hunter2@db:5432/x") == f"postgres://app:{MASKED}@db:5432/x"
    assert masked("Authorization: Bearer abc status=200") == f"Authorization: Bearer {MASKED} status=200"
    assert masked(f"two {GITHUB} and {SLACK}") == f"two {MASKED} and {MASKED}"


KEY = [
    "starting",
    "-----BEGIN RSA PRIVATE KEY-----",
    "Proc-Type: 4,ENCRYPTED",
    "",
    "MIIEowIBAAKCAQEAwJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYwJalrXUtnF",
    "dGhlIGVuZA==",
    "-----END RSA PRIVATE KEY-----",
    "started",
]


def test_a_key_over_several_lines() -> None:
    mask = masker()
    other = [mask("b", "MIIEowIBAAKCAQEA") if at == 3 else "" for at in range(len(KEY))]
    assert [mask("a", line) for line in KEY] == ["starting", *[MASKED] * 6, "started"]
    assert other[3] == "MIIEowIBAAKCAQEA"


def test_a_key_whose_end_is_missing() -> None:
    mask = masker()
    assert [mask("a", line) for line in [*KEY[:5], "started", KEY[4]]] == ["starting", *[MASKED] * 4, "started", KEY[4]]


def test_a_key_whose_beginning_is_missing() -> None:
    lines = [("a", "started"), ("b", "else"), *(("a", line) for line in KEY[4:])]
    assert masked_lines(lines) == ["started", "else", MASKED, MASKED, MASKED, "started"]


HOSTILE = [
    "a", "eyJ", "eyJa.", "token", "token=", 'password="', "password='\\", "--", "--a_", "://", "://a:", "://a:b@",
    "bearer_", "-----BEGIN_PRIVATE_KEY-----", "-----BEGIN_", "-----END_", "xoxb-", "cookie:_", "?key=", "[", '\\"',
    "hooks.slack.com/services/", "password_", "secret", "__", 'authorization:"["', "pwd=/",
]  # fmt: skip
"""With a blank for each ``_``."""


@pytest.mark.parametrize("part", [one.replace("_", " ") for one in HOSTILE])
def test_a_long_hostile_line_takes_no_longer_than_it_is_long(part: str) -> None:
    # what grows with the square of the length would not end before the test's own limit
    masked(part * (256 * 1024 // len(part)))
    masked("x" + part * (256 * 1024 // len(part)) + "=y")
