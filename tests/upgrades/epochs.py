"""Starts a bot of another epoch: this program as it will be once a run's steps have changed."""

from collections.abc import Mapping
from pathlib import Path

from bot.engine import workflow
from bot.sandbox import launcher
from bot.sandbox.replica import Child, Starter

OLD, NEW = workflow.EPOCH, "the next epoch"


def of_epoch(epoch: str) -> Starter:
    def start(environment: Mapping[str, str], log: Path) -> Child:
        child = launcher.FORK.Process(target=serve, args=(epoch, dict(environment), str(log)), daemon=True)
        return launcher.Forked(child)

    return start


def serve(epoch: str, environment: dict[str, str], log: str) -> None:
    """In the child: become `aisq serve` of that epoch."""
    workflow.EPOCH = epoch
    launcher.serve(environment, log)
