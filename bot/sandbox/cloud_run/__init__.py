"""Cloud Run Admin v2: services, revisions, traffic, rollouts."""
