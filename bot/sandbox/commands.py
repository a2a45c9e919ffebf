"""`aisq sandbox …`: rehearse and prove, on this machine alone."""

import click


@click.group(help="A small cloud and a small Slack on this machine: rehearse an outage, or prove what aisq survives.")
def sandbox() -> None:
    """The group."""


@sandbox.command(help="Tell the main job as a story: a bad release, a rollback, an approval.")
def demo() -> None:
    from bot.sandbox import demo as story

    raise SystemExit(story.main())


@sandbox.command(help="Keep the small cloud and the bot running, and say what to try.")
@click.option("--rate", default=10.0, show_default=True, help="Seconds of the town in one real second.")
@click.option("--state", default="", help="Folder that keeps the bot's state; default: a temporary one.")
def up(rate: float, state: str) -> None:
    from bot.sandbox import up as town

    raise SystemExit(town.main(rate, state))


@sandbox.command("crash-matrix", help="Kill the bot at every boundary of an operation, and print what came of it.")
@click.option("--operation", default="rollback", show_default=True, help="Which operation is killed.")
@click.option("--every", default=1, show_default=True, help="Only every n-th boundary.")
@click.option("--workers", default=2, show_default=True, help="How many towns at once.")
def crash_matrix(operation: str, every: int, workers: int) -> None:
    from bot.sandbox import crash_matrix as matrix

    raise SystemExit(matrix.main(operation, every, workers))
