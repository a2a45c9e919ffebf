"""Policy: allow, deny, or ask n people; why, and why not. Cedar decides, and only cedar.py knows Cedar."""

from bot.engine.policy.cases import Result, run_cases
from bot.engine.policy.decide import MOST_APPROVALS, Decision, Policy, Probe
from bot.engine.policy.lint import lint
from bot.engine.policy.remedies import Remedy

__all__ = ["MOST_APPROVALS", "Decision", "Policy", "Probe", "Remedy", "Result", "lint", "run_cases"]
