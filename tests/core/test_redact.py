"""What nobody should see is taken out of foreign text, in whatever it stands; the rest stays as it is."""

import json
import string
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.redact import HIDDEN, redacted

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7\nabc\n-----END RSA PRIVATE KEY-----"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"
CASES = [
    # by name
    ("login failed password=hunter2 for ana", "login failed password=*** for ana"),
    ("DB_PASSWORD => hunter2, retrying", "DB_PASSWORD => ***, retrying"),
    ("PGPASSWORD: 'a b c' x", "PGPASSWORD: '***' x"),
    ("X-Api-Key: 123;next", "X-Api-Key: ***;next"),
    ("access_token: Bearer abc", "access_token: ***"),
    ("db.client-secret=x&b=2", "db.client-secret=***&b=2"),
    ("pass=1 fail=2", "pass=*** fail=2"),
    ("token%3Dabc", "token%3D***"),
    ('{"password": "a\\"b", "user": "x"}', '{"password": "***", "user": "x"}'),
    ('{"n": 1, "api_key":123}', '{"n": 1, "api_key":***}'),
    (r"said {\"password\":\"abc\",\"x\":1}", r"said {\"password\":\"***\",\"x\":1}"),
    ('password="cut off in the mid', 'password="***"'),
    (r"{\"secret\":\"cut off", r"{\"secret\":\"***\""),
    ("{'password': b'hunter2', 'n': 1}", "{'password': b'***', 'n': 1}"),
    ("{'password': rb\"hunter2\"}", "{'password': rb\"***\"}"),
    ("PASSWORD=U'hunter2'", "PASSWORD=U'***'"),
    ('{"password":{"value":"hunter2"},"n":1}', '{"password":{***},"n":1}'),
    ('{"secrets": {"a": {"b": "x"}, "c": "y"}, "n": 1}', '{"secrets": {***}, "n": 1}'),
    ('{"tokens_secret": ["a", "b"], "n": 1}', '{"tokens_secret": [***], "n": 1}'),
    (r'"{\"password\":{\"value\":\"hunter2\"}}"', r'"{\"password\":{***}}"'),
    ('{"password":{"cut off":"hunter2', '{"password":{***}'),
    ('password: {"a":{"b":{"c":"hunter2"}}}\nnext', "password: {***}\nnext"),
    # headers
    ("Authorization: Digest username=x, response=y", "Authorization: ***"),
    ('{"Authorization":"Basic dXNlcjpwYXNz","a":1}', '{"Authorization":"***","a":1}'),
    ("Cookie: a=b; c=d\nHost: x", "Cookie: ***\nHost: x"),
    ("Set-Cookie: sid=abc; Path=/", "Set-Cookie: ***"),
    ("sent with Bearer abcdefgh.ijkl", "sent with Bearer ***"),
    # addresses
    ("postgres://app:s3cr3t@10.0.0.3:5432/db", "postgres://***@10.0.0.3:5432/db"),
    ("redis://:s3cr3t@cache:6379", "redis://***@cache:6379"),
    ("https://ana@example.com/x", "https://***@example.com/x"),
    ("postgres://user:pa/ss@h/db", "postgres://***@h/db"),
    ("postgres://user:p@ss/w@h/db is away", "postgres://***@h/db is away"),
    ("GET https://x.io:8443/a?email=ana@example.com 200", "GET https://x.io:8443/a?email=*** 200"),
    ("GET /cb?code=1&token=abc&email=ana@example.com 302", "GET /cb?code=1&token=***&email=*** 302"),
    ("GET /users/ana%40example.com/orders", "GET /users/***/orders"),
    ("GET https://x.io/sign?sig=ab%2Fc 403", "GET https://x.io/sign?sig=*** 403"),
    # known forms
    (f"key\n{KEY}\nend", "key\n***\nend"),
    ("-----BEGIN PRIVATE KEY-----\nMIIE and no end", HIDDEN),
    (f"got {TOKEN}, expired", "got ***, expired"),
    ("AKIAABCDEFGHIJKLMNOP denied", "*** denied"),
    ("https://hooks.slack.com/services/T0/B0/x is gone", "*** is gone"),
]
FORMS = [
    TOKEN,
    "ASIA" + "Q" * 16,
    "AIza" + "a" * 35,
    "ya29." + "a" * 30,
    "GOCSPX-" + "a" * 24,
    "ghp_" + "a" * 36,
    "github_pat_" + "a" * 30,
    "glpat-" + "a" * 20,
    "xoxb-1234567890-abc",
    "xapp-1-A0-1234567890",
    "sk_live_" + "a" * 24,
    "sk-proj-" + "a" * 24,
    "SG." + "a" * 22 + "." + "b" * 43,
    "npm_" + "a" * 36,
    "pypi-" + "a" * 50,
]
PLAIN = [
    "secret version 4 is destroyed",
    "token expired; ask for another token",
    "total_tokens=1532 max_tokens: 20",
    "sent to ana@example.com",
    "image gcr.io/p/backend@sha256:0123456789abcdef took 5 ms",
    "assignment=3 outside: 4 signal=9",
    "Bearer token missing; basic auth required",
    "GET /v1/users/7?sort=name&page=2 200 in 12 ms",
    "the keyboard has a key: no",
    "2026-11-20T12:00:00Z level=info passed=12 failed=0",
    'Traceback (most recent call last):\n\tFile "a.py", line 3',
    "",
]


@pytest.mark.parametrize("text, shown", CASES)
def test_hidden(text: str, shown: str) -> None:
    assert redacted(text) == shown


@pytest.mark.parametrize("secret", FORMS)
@pytest.mark.parametrize("around", ["{}", "it is {}.", "'{}'", "[{}]", "a,{},b", "\u201c{}\u201d", "x\n{}\ny"])
def test_what_has_a_known_form_is_hidden_wherever_it_stands(secret: str, around: str) -> None:
    assert secret not in redacted(around.format(secret))


@pytest.mark.parametrize("text", PLAIN)
def test_the_rest_stays(text: str) -> None:
    assert redacted(text) == text


NAMES = st.sampled_from(["password", "DB_PASSWORD", "api-key", "client_secret", "accessToken", "X-Signature", "PWD"])
SECRETS = st.text(string.ascii_letters + string.digits + "+/!$%*-_.", min_size=6, max_size=30).filter(
    lambda one: HIDDEN not in one and any(char.isalnum() for char in one)
)
WRITTEN = [
    lambda name, secret: f"{name}={secret}",
    lambda name, secret: f"x {name}: {secret} y",
    lambda name, secret: f"--{name} = '{secret}', next",
    lambda name, secret: json.dumps({"a": 1, name: secret}),
    lambda name, secret: json.dumps(json.dumps({name: secret})),
    lambda name, secret: json.dumps({"message": json.dumps({"inner": {name: secret}})}, indent=1),
    lambda name, secret: f"GET /x?{name}={quote(secret, safe='')}&b=2",
    lambda name, secret: f"connecting to postgres://app:{quote(secret, safe='')}@10.0.0.3/db",
    lambda name, secret: f"Authorization: Bearer {secret}",
]


@given(NAMES, SECRETS, st.sampled_from(WRITTEN))
def test_no_secret_that_is_named_is_seen(name: str, secret: str, written: object) -> None:
    shown = redacted(written(name, secret))  # type: ignore[operator]
    assert secret not in shown and quote(secret, safe="") not in shown.replace(name, "")


@given(st.text(max_size=200) | st.text(st.sampled_from("password=:token\"'\\ @/?&*{}\n"), max_size=80))
@example('password="')
@example("password=\\'\\'")
@example('token=***"***')
@example("secret='***' ***")
def test_doing_it_again_changes_nothing(text: str) -> None:
    once = redacted(text)
    assert redacted(once) == once


@pytest.mark.parametrize(
    "part",
    ["a", "a.", "token", "password ", "/a@", '"', "\\", 'password="', 'password=\\"', "a://", "eyJ", "x=", "secret_"],
)
def test_nothing_takes_long(part: str) -> None:
    """The longest entries there are; what was quadratic would not come back."""
    redacted((part * 4000)[:4000])
    redacted("password:" + " " * 4000 + part)
