"""What Slack shows, as pure functions of an operation's row and of answers."""
