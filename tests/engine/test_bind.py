"""What an operation is handed: only what it asked for, only reads, from the right provider."""

import pytest

from bot.core.answer import Answer
from bot.core.errors import Permanent, Transient
from bot.core.operation import Look, Risk, needs
from bot.core.ports import Compute, ComputeReads, MetricReads
from bot.core.system import Clock
from bot.engine.bind import Binder, Providers


class Nosy(Look, risk=Risk.READ):
    """Asks for more than a look may have."""

    def answer(self, compute: Compute) -> Answer:
        return Answer(title="")


class Releases:
    """Serves the target's type, and counts nothing."""


class Metrics:
    cloud = "gcp"

    def requests(self, *_):
        return ()


def target(bot, name="backend", environment="prod"):
    return bot.catalog.target("ai-square", environment, name)


def test_planning_cannot_write(bot):
    reads = bot.binder.port(ComputeReads)
    with pytest.raises(AttributeError, match="set_traffic is not in ComputeReads"):
        _ = reads.set_traffic
    with pytest.raises(AttributeError):
        _ = reads._providers_of_others


def test_an_operation_that_asks_for_writes_is_refused(bot):
    with pytest.raises(TypeError, match="ask for ComputeReads"):
        bot.binder.arguments(Nosy())


def test_what_nobody_offers_is_left_to_the_step(bot):
    assert "release" not in bot.binder.arguments(bot.read("help"))
    assert needs(Nosy) == {"compute": Compute}


def test_a_type_without_provider_is_said(bot):
    with pytest.raises(
        Permanent, match=r"is of type github_pages, for which aisq does not offer reading services \(service\)$"
    ):
        bot.binder.port(ComputeReads).service(target(bot, "frontend", "mvp"))


def test_what_the_type_does_not_offer_comes_from_its_cloud(bot):
    made = []
    providers = Providers(
        {"cloud_run": Releases, "elsewhere": int, "metrics": Metrics}, lambda kind: made.append(kind) or kind()
    )
    router = Binder(providers, bot.clock).port(MetricReads)
    assert router.requests(target(bot), None, None, 60) == router.requests(target(bot), None, None, 60) == ()
    assert made == [Metrics]


def test_looks_at_services_are_repeated_and_remembered(bot):
    bot.platform.fail("service", Transient("503"), Transient("429", retry_after_s=2))
    bot.binder.port(ComputeReads).service(target(bot))
    assert bot.clock.slept_s >= 2
    (span,) = bot.history.served(target(bot))
    assert span.split == {"backend-00042-bad": 100}


def test_looks_are_not_repeated_for_ever(bot):
    bot.platform.fail("service", *[Transient("503")] * 100)
    with pytest.raises(Transient):
        bot.binder.port(ComputeReads).service(target(bot))
    assert bot.platform.calls.count("service") < 10


def test_a_rollout_in_progress_is_not_history(bot):
    bot.platform.busy = True
    bot.binder.port(ComputeReads).service(target(bot))
    bot.platform.busy, bot.platform.serving = False, {}
    bot.binder.port(ComputeReads).service(target(bot))
    assert bot.history.served(target(bot)) == ()


def test_without_a_watch_nothing_is_remembered(bot):
    Binder(bot.platforms, bot.clock).port(ComputeReads).service(target(bot))
    assert bot.history.served(target(bot)) == ()


def test_offers_are_by_type(bot):
    bot.binder.offer(Clock, bot.clock)
    assert bot.binder._offered[Clock] is bot.clock
