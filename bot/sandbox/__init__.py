"""A small cloud and a small Slack on this machine, for rehearsal and for tests. Shares no code with the bot."""
