"""`aisq sandbox …`: rehearse and prove, on this machine alone."""

import signal
import sys
from types import FrameType

import click

DATABASES = ("sqlite", "postgres")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


real_traffic = click.option(
    "--real-traffic",
    is_flag=True,
    help="Let the releases of ai-square's backend be processes on this machine, and all its requests really happen.",
)


@click.group(
    invoke_without_command=True,
    help="A small cloud and a small Slack on this machine: rehearse an outage, or prove what aisq survives.",
)
@real_traffic
@click.pass_context
def sandbox(context: click.Context, real_traffic: bool) -> None:
    """The group. Whoever ends a command early leaves no process behind. With nothing but that flag it is `up`."""
    for one in SIGNALS:
        signal.signal(one, _end)
    if context.invoked_subcommand is None:
        if not real_traffic:
            raise click.exceptions.NoArgsIsHelpError(context)
        context.invoke(up, real_traffic=True)
    elif real_traffic and context.invoked_subcommand != "up":
        raise click.UsageError(f"{context.invoked_subcommand} has no --real-traffic; up has.")
    context.obj = real_traffic


def _end(number: int, _: FrameType | None) -> None:
    for one in SIGNALS:  # while what was started is being ended, once is enough
        signal.signal(one, signal.SIG_IGN)
    sys.exit(128 + number)


@sandbox.command(help="Tell the main job as a story: a bad release, a rollback, an approval.")
def demo() -> None:
    from bot.sandbox import demo as story

    raise SystemExit(story.main())


@sandbox.command(help="Keep the small cloud and the bot running, and say what to try.")
@click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    default=10.0,
    show_default=True,
    help="Seconds of the town in one real second.",
)
@click.option("--state", default="", help="Folder that keeps the bot's state; default: a temporary one.")
@real_traffic
@click.pass_context
def up(context: click.Context, rate: float, state: str, real_traffic: bool) -> None:
    from bot.sandbox import up as town

    raise SystemExit(town.main(rate, state, real_traffic=real_traffic or bool(context.obj)))


@sandbox.command("crash-matrix", help="Kill the bot at every boundary of an operation, and print what came of it.")
@click.option("--operation", multiple=True, help="Which operation is killed; default: each that changes something.")
@click.option("--database", type=click.Choice(DATABASES), multiple=True, default=DATABASES[:1], show_default=True,
              help="What the bot keeps its state in; on PostgreSQL two replicas work at once.")  # fmt: skip
@click.option("--every", type=click.IntRange(1), default=1, show_default=True, help="Only every n-th boundary.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="How many towns at once.")
@click.option("--page", type=click.Path(dir_okay=False), default="", help="A file to write the tables to, as Markdown.")
def crash_matrix(operation: tuple[str, ...], database: tuple[str, ...], every: int, workers: int, page: str) -> None:
    from bot.sandbox import crash_matrix as matrix

    raise SystemExit(matrix.main(operation, database, every, workers, page))


@sandbox.command(help="Several replicas, many people, random kills for minutes; then look whether all of it is right.")
@click.option("--seed", type=int, default=1, show_default=True, help="Decides who asks what, and what is hit when.")
@click.option("--seconds", type=click.FloatRange(1), default=180.0, show_default=True, help="How long people ask.")
@click.option("--replicas", type=click.IntRange(1), default=3, show_default=True)
@click.option("--operations", type=click.IntRange(1), default=200, show_default=True, help="How many are asked for.")
@click.option("--services", type=click.IntRange(1, 99), default=20, show_default=True)
@click.option("--database", type=click.Choice(DATABASES), default=DATABASES[1], show_default=True)
@click.option("--logs", type=click.Path(file_okay=False), default="", help="A folder that keeps the replicas' logs.")
def soak(seed: int, seconds: float, replicas: int, operations: int, services: int, database: str, logs: str) -> None:
    from bot.sandbox import soak as attack

    asked = attack.Soak(seed, seconds, replicas, operations, services)
    raise SystemExit(attack.main(asked, database, logs))
