"""Looks with times in them, through the whole engine."""

import pytest

from bot.core.errors import UserError

ANA = "slack:U0ANA"  # in Berlin, where it is 13:00


def test_logs_from_a_time_of_whoever_asks(bot):
    record = bot.say(ANA, "logs backend timeout --since 12:30 --errors")
    assert record.state == "answered"
    assert record.request.params["since"] == "2026-11-20T11:30:00Z"
    title = record.answer.parts[0].title
    assert title == "2026-11-20 12:30 Europe/Berlin (11:30 UTC) to 2026-11-20 13:00 Europe/Berlin (12:00 UTC)"


def test_metrics_are_charts(bot):
    answer = bot.say(ANA, "metrics backend --since 2h").answer
    assert [part.title for part in answer.parts if part.is_ == "series"] == ["Requests", "Errors", "Latency"]
    requests = next(part for part in answer.parts if part.is_ == "series")
    assert set(requests.lines) == {"backend-00041-kex", "backend-00042-bad"}
    assert {len(values) for values in requests.lines.values()} == {len(requests.at)}


def test_a_time_to_come_is_refused_before_anything_is_written(bot):
    with pytest.raises(UserError, match="which is in the future") as refused:
        bot.say(ANA, "logs backend --since tomorrow 08:00")
    assert set(refused.value.fields) == {"since"}
    assert bot.audit.entries() == ()


def test_why_reads_times_too(bot):
    assert bot.say(ANA, "why logs backend --since 2h").answer.parts[0].mood == "good"


def test_an_error_budget(bot):
    answer = bot.say(ANA, "slo backend").answer
    assert not answer.good, "the bad release serves"
    assert "only fixes and rollbacks go out" in answer.parts[1].text
    assert len(answer.parts[2].rows) == 4


def test_drift_of_one_and_of_a_whole_environment(bot):
    answer = bot.say(ANA, "drift backend").answer
    table, _, code, untold = answer.parts
    assert {row[0] for row in table.rows} == {"ai-square/prod/backend"} and not answer.good
    assert table.rows[0][1:] == ("size", "2 to 100 instances", "1 to 10 instances")
    assert code.lines == ("scale ai-square/prod/backend --min 2 --max 100",)
    assert untold.text == "The platform does not tell: CPU, memory, requests at a time."
    whole = bot.say(ANA, "drift ai-square/prod").answer
    assert {row[0] for row in whole.parts[0].rows} == {"ai-square/prod/backend", "ai-square/prod/frontend"}
    assert whole.parts[-1].text == "Only services are compared: 6 of the catalog's entries there are none."
