"""Logs: one JSON object a line, about an operation, and without any secret."""

import io
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine import logs
from bot.engine.logs import BLANK, Formatter, Redactor, about
from bot.engine.sweep import Judging
from tests.root_logger import kept

log = logging.getLogger("shop.orders")
TOKEN = "xoxb-1234567890-abcDEF"
AWKWARD = "a\"b\\c é日本'€"


@pytest.fixture(autouse=True)
def the_root_logger() -> Iterator[None]:
    with kept():
        yield


class Lines:
    """What is logged, line by line."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.split("\n") if line]

    @property
    def one(self) -> dict[str, Any]:
        (line,) = self.all
        return line


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Lines]:
    """Begins logging to a text; takes the secrets that are known."""

    def begin(*secrets: str, level: str = "INFO") -> Lines:
        stream = io.StringIO()
        monkeypatch.setattr(sys, "stderr", stream)
        assert logs.to_stderr(level, Redactor(secrets)) == "the log on stderr"
        return Lines(stream)

    return begin


Begin = Callable[..., Lines]


# --- the shape of a line


def test_a_line_has_the_names_that_cloud_logging_reads(written: Begin) -> None:
    lines = written()
    log.warning("sold %d of %s", 3, "apples")
    line = lines.one
    assert list(line) == ["time", "severity", "logger", "message"]
    assert (line["severity"], line["logger"], line["message"]) == ("WARNING", "shop.orders", "sold 3 of apples")


def test_time_is_utc_to_the_millisecond(written: Begin) -> None:
    lines = written()
    record = logging.LogRecord("x", logging.INFO, "f", 1, "m", (), None)
    record.created = 1_790_000_000.25
    logging.getLogger().handle(record)
    assert lines.one["time"] == "2026-09-21T14:13:20.250Z"


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
def test_severities_are_cloud_loggings_own(level: str, written: Begin) -> None:
    lines = written(level="DEBUG")
    log.log(logging.getLevelNamesMapping()[level], "x")
    assert lines.one["severity"] == level


def test_what_is_less_severe_is_left_out(written: Begin) -> None:
    lines = written(level="WARNING")
    log.info("x")
    assert lines.text == ""


@pytest.mark.parametrize("library", ["alembic", "asyncio", "slack_sdk", "google"])
def test_libraries_speak_up_only_when_something_is_wrong(library: str, written: Begin) -> None:
    lines = written()
    logging.getLogger(f"{library}.deep").info("chatter")
    logging.getLogger(f"{library}.deep").warning("trouble")
    assert lines.one["message"] == "trouble"


@pytest.mark.parametrize(
    "message", ["two\nlines", "\r\n", "\x1b[31mred", "\u2028\x85", "\x9b2J", '{"severity": "DEBUG"}', "日本"]
)
def test_a_record_is_one_line_whatever_it_says(message: str, written: Begin) -> None:
    lines = written()
    log.info("%s", message)
    assert len(lines.text.splitlines()) == 1  # by anybody's idea of a line
    assert lines.text.isascii()
    assert lines.text.rstrip("\n").isprintable()
    assert lines.one["message"] == message


def test_an_exception_is_a_field_of_its_line(written: Begin) -> None:
    lines = written()
    try:
        raise ValueError("no apples")
    except ValueError:
        log.exception("not sold")
    line = lines.one
    assert line["message"] == "not sold"
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ValueError: no apples")


def test_further_fields_are_kept_and_what_is_no_json_becomes_text(written: Begin) -> None:
    lines = written()
    log.info("x", extra={"count": 3, "done": True, "none": None, "path": Path("/a"), "some": {"b"}, "t": (1, 2.5)})
    line = lines.one
    assert (line["count"], line["done"], line["none"], line["path"]) == (3, True, None, "/a")
    assert (line["some"], line["t"]) == (["b"], [1, 2.5])


def test_colours_of_the_web_server_are_left_out(written: Begin) -> None:
    lines = written()
    log.info("x", extra={"color_message": "\x1b[36mx\x1b[0m"})
    assert "color_message" not in lines.one


# --- the operation


def test_a_line_says_which_operation_it_is_about(written: Begin) -> None:
    lines = written()
    with about("7k3q9x2m4p"):
        log.info("inside")
        with about("q45jswpm2g"):
            log.info("deeper")
        log.info("inside again")
    log.info("outside")
    assert [line.get("operation") for line in lines.all] == ["7k3q9x2m4p", "q45jswpm2g", "7k3q9x2m4p", None]


def test_an_error_does_not_leave_its_operation_behind(written: Begin) -> None:
    lines = written()
    with pytest.raises(ZeroDivisionError), about("7k3q9x2m4p"):
        raise ZeroDivisionError
    log.info("outside")
    assert "operation" not in lines.one


def test_another_thread_is_about_its_own(written: Begin) -> None:
    lines = written()
    with about("7k3q9x2m4p"):
        thread = threading.Thread(target=log.info, args=("there",))
        thread.start()
        thread.join()
        log.info("here")
    assert [line.get("operation") for line in lines.all] == [None, "7k3q9x2m4p"]


# --- secrets

SECRETS = {
    "bot token": (TOKEN, TOKEN),
    "user token": ("xoxp-1-2-3-abc", "xoxp-1-2-3-abc"),
    "app token": ("xapp-1-A0B-123-abc", "xapp-1-A0B-123-abc"),
    "rotated token": ("xoxe.xoxb-1-abc-DEF", "xoxb-1-abc"),
    "token in brackets": (f"<{TOKEN}>", TOKEN),
    "database password": ("postgresql://aisq:s3cret@10.0.0.3/aisq", "s3cret"),
    "password with strange characters": ("postgresql+psycopg://aisq:p@ss/w:rd@db/aisq?sslmode=require", "p@ss/w:rd"),
    "password of a connection string": ("host=db password=s3cret dbname=aisq", "s3cret"),
    "password in JSON": ('{"password": "s3cret", "user": "aisq"}', "s3cret"),
    "authorization header": ("Authorization: Bearer abc.def-ghi", "abc.def-ghi"),
    "basic authorization": ("authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    "headers as Python shows them": ("{'Authorization': 'Bearer abc.def'}", "abc.def"),
    "headers as bytes": ("(b'authorization', b'Bearer abc.def')", "abc.def"),
    "bearer alone": ("sent Bearer eyJhbGciOiJIUzI1NiJ9.e30", "eyJhbGciOiJIUzI1NiJ9"),
    "Google's token": ("ya29.a0AfH6SMBx-y_z", "a0AfH6SMBx"),
    "response_url": ("https://hooks.slack.com/commands/T1/2/abcDEF", "T1/2/abcDEF"),
    "webhook": ("https://hooks.slack.com/services/T1/B1/xyz", "xyz"),
    "government hook": ("https://hooks.slack-gov.com/actions/T1/2/abc", "T1/2/abc"),
    "response_url by its name": ("response_url=http://127.0.0.1:9/hook/abc", "hook/abc"),
    "response_url as a field": ('{"response_url": "http://127.0.0.1:9/hook/abc"}', "hook/abc"),
    "signing secret by its name": ("signing_secret=8f742231b10e8888abcd99yyyzzz85a5", "8f742231b10e"),
    "private key": ("-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n", "MIIEvQ"),
    "private key cut short": ("-----BEGIN RSA PRIVATE KEY-----\nMIIEvQ", "MIIEvQ"),
}


@pytest.mark.parametrize(("text", "secret"), SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("where", ["message", "argument", "exception", "field", "nested", "key"])
def test_secrets_are_blanked_wherever_they_stand(text: str, secret: str, where: str, written: Begin) -> None:
    lines = written()
    if where == "message":
        log.error(text.replace("%", "%%"))
    elif where == "argument":
        log.error("it said %s!", text)
    elif where == "field":
        log.error("x", extra={"said": text})
    elif where == "nested":
        log.error("x", extra={"said": [{"deep": (text,)}]})
    elif where == "key":
        log.error("x", extra={"said": {text: 1}})
    else:
        try:
            raise RuntimeError(text)
        except RuntimeError:
            log.exception("failed")
    assert BLANK in lines.text
    assert secret not in json.dumps(lines.one, ensure_ascii=False)
    assert secret not in lines.text


def test_what_stands_around_a_secret_stays(written: Begin) -> None:
    lines = written()
    log.info("connect to postgresql://aisq:s3cret@10.0.0.3/aisq with %s now", TOKEN)
    assert lines.one["message"] == f"connect to postgresql://aisq:{BLANK}@10.0.0.3/aisq with {BLANK} now"


@pytest.mark.parametrize("secret", ["8f742231b10e8888abcd99yyyzzz85a5", AWKWARD, "a.b*c(d", "1234"])
def test_known_secrets_are_blanked_whatever_they_look_like(secret: str, written: Begin) -> None:
    lines = written(secret)
    log.error("it is %s!", secret)
    try:
        raise ValueError(secret)
    except ValueError:
        log.exception("x")
    assert lines.all[0]["message"] == f"it is {BLANK}!"
    assert all(secret not in value for line in lines.all for value in line.values())


def test_a_known_secret_is_found_decoded_too(written: Begin) -> None:
    lines = written("postgresql://aisq:p%40ss%2Fword@db/aisq")
    log.error("connect to postgresql://aisq:p@ss/word@db/aisq")
    assert "p@ss/word" not in lines.text


def test_the_longer_of_two_known_secrets_goes_first() -> None:
    assert Redactor(["abcd", "abcdefgh"])("abcdefgh") == BLANK


@pytest.mark.parametrize("secret", ["", "a", "abc"])
def test_a_secret_too_short_to_be_one_blanks_nothing(secret: str) -> None:
    assert Redactor([secret])("an abc of a text") == "an abc of a text"


@pytest.mark.parametrize(
    "text",
    [
        "rollback backend --reason '5xx since 14:02'",
        "https://slack.com/api/chat.postMessage answered 429",
        "gs://bucket/key and http://host:8080/path",
        "audit head 7 1082d6fad87f8266fa27bee13369c362d6cff11a6e57f688ebe3d15f35f81bf6",
        "the basic plan, in bearer bonds",
        "projects/p/secrets/database-url/versions/4 is enabled",
        "ana@example.com wrote: see you",
    ],
)
def test_what_is_no_secret_is_not_touched(text: str) -> None:
    assert Redactor(["8f742231b10e8888"])(text) == text


FIELDS = ["Authorization", "slack_token", "signing_secret", "PASSWORD", "response_url", "x-slack-signature", "Cookie"]


@pytest.mark.parametrize("name", FIELDS)
def test_fields_with_a_telling_name_are_blanked_whatever_they_hold(name: str, written: Begin) -> None:
    lines = written()
    log.info("x", extra={"headers": {name: "anything", "n": 1}, "h": {name: b"bytes"}, "l": {name: ["xoxb-1-a"]}})
    line = lines.one
    assert (line["headers"], line["h"], line["l"]) == ({name: BLANK, "n": 1}, {name: BLANK}, {name: [BLANK]})


@given(st.text(min_size=4, max_size=30), st.text(max_size=20), st.text(max_size=20))
def test_a_known_secret_never_comes_through(secret: str, before: str, after: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "%s", (before + secret + after,), None)
    shown = json.loads(Formatter(Redactor([secret])).format(record))["message"]
    assert secret not in shown.replace(BLANK, "\0") or secret in before + after


# --- where it goes


def test_a_terminals_log_is_a_file_beside_its_database(tmp_path: Path) -> None:
    file = tmp_path / "state" / "aisq.log"
    assert logs.to_file(file, "INFO", Redactor()) == str(file)
    log.info("größer")
    assert json.loads(file.read_text(encoding="utf-8"))["message"] == "größer"


def test_where_no_file_can_be_only_errors_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    (tmp_path / "state").write_text("a file, where a folder should be")
    assert logs.to_file(tmp_path / "state" / "aisq.log", "INFO", Redactor()) == "the log on stderr"
    log.info("x")
    log.error("y")
    assert Lines(stream).one["message"] == "y"


def test_beginning_again_replaces_what_was_there(written: Begin) -> None:
    first = written()
    second = written()
    log.info("x")
    assert (first.text, second.one["message"]) == ("", "x")


def test_the_durable_library_does_not_print_in_a_format_of_its_own(written: Begin) -> None:
    lines = written()
    from dbos._logger import init_logger

    init_logger()
    logging.getLogger("dbos").error("its trouble")
    assert lines.one["message"] == "its trouble"


@pytest.mark.parametrize("library", ["dbos", "google"])
def test_what_a_library_did_to_its_logger_before_us_is_put_right(library: str, written: Begin) -> None:
    proud = logging.getLogger(library)
    proud.propagate, proud.handlers[:] = False, [logging.StreamHandler(io.StringIO())]
    lines = written()
    proud.error("trouble")
    assert lines.one["message"] == "trouble"


def test_warnings_are_logged(written: Begin) -> None:
    import warnings

    lines = written()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn(f"old {TOKEN}", stacklevel=1)
    assert f"old {BLANK}" in lines.one["message"]


def test_a_thread_that_ends_with_a_bug_says_so(written: Begin) -> None:
    lines = written()

    def bug() -> None:
        raise ZeroDivisionError(TOKEN)

    thread = threading.Thread(target=bug, name="sweep")
    thread.start()
    thread.join()
    line = lines.one
    assert (line["severity"], line["message"]) == ("CRITICAL", "a bug ended the thread sweep")
    assert f"ZeroDivisionError: {BLANK}" in line["exception"]


@pytest.mark.parametrize("error", [SystemExit(0), None])
def test_a_thread_that_ends_on_purpose_does_not(error: BaseException | None, written: Begin) -> None:
    lines = written()
    threading.excepthook(threading.ExceptHookArgs((type(error), error, None, None)))
    assert lines.text == ""


def test_a_thread_without_a_name_is_said_all_the_same(written: Begin) -> None:
    lines = written()
    threading.excepthook(threading.ExceptHookArgs((ValueError, ValueError("x"), None, None)))
    assert lines.one["message"] == "a bug ended the thread ?"


def test_a_process_that_ends_with_a_bug_says_so(written: Begin) -> None:
    lines = written()
    sys.excepthook(ValueError, ValueError("x"), None)
    assert (lines.one["severity"], lines.one["message"]) == ("CRITICAL", "a bug ended the process")


# --- the engine


def test_every_step_of_an_operation_is_logged_as_about_it(written: Begin, bot: Any) -> None:
    """Accepted, planned, applied and judged; each of them writes a link of the audit chain, and says so."""
    lines = written()
    operation = bot.approved()
    bot.work(operation)
    bot.platform.serve("backend-00041-kex", minutes=30, until=bot.clock.now() + timedelta(minutes=30))
    bot.clock.advance(1800)
    Judging(bot.ledger, bot.checker.judge).round()
    assert bot.ledger.operation(operation).judged == "holds"
    heads = [line for line in lines.all if line["message"].startswith("audit head")]
    assert len(heads) == len(bot.audit.entries(limit=100))
    assert all(line.get("operation") for line in heads)
    links = [entry.operation for entry in reversed(bot.audit.entries(limit=100))]
    said = [line["operation"] for line in heads]
    approve = next(link for link in said if link != operation)  # what an approval adds elsewhere is logged as its own
    assert all(about in (link, approve) for about, link in zip(said, links, strict=True))
    assert said[-1] == operation
