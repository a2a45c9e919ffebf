"""Block Kit as Slack checks it: schema.yaml says what exists, surface.py checks a message or a view."""
