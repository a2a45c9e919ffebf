"""The way out to Slack: every message is brought up to its operation's row."""
