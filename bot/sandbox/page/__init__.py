"""The page on which people rehearse: a small Slack, a small cloud, and the bot between them."""
