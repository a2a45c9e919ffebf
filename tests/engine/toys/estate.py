"""Several services on one platform, for these tests."""

from bot.core.ports import PORTS
from bot.core.request import Target
from bot.engine.bind import Providers
from tests.engine.conftest import Platform


class Estate:
    """A platform with several services, each of its own; `at(FULL_NAME)` is one."""

    def __init__(self, clock):
        self.clock, self.of = clock, {}

    def at(self, full_name):
        return self.of.setdefault(full_name, Platform(self.clock))


def _through(method):
    def call(self, *args, **kwargs):
        target = next(one for one in (*args, *kwargs.values()) if isinstance(one, Target))
        return getattr(self.at(target.full_name), method)(*args, **kwargs)

    return call


for _port in PORTS.values():
    for _name in vars(_port):
        if hasattr(Platform, _name) and not _name.startswith("_"):
            setattr(Estate, _name, _through(_name))


def settle(bot, *full_names):
    """Put the bot on an estate; the platforms of these services."""
    bot.estate = Estate(bot.clock)
    bot.platforms = Providers({"cloud_run": Estate}, lambda _: bot.estate)
    return [bot.estate.at(one) for one in full_names]
