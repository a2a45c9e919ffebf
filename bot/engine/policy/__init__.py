"""Policy: allow, deny, or ask n people; why, and why not. Cedar decides, and only cedar.py knows Cedar."""

from bot.engine.policy.decide import MOST_APPROVALS, Decision, Policy, Probe

__all__ = ["MOST_APPROVALS", "Decision", "Policy", "Probe"]
