"""Cloud Logging: what the releases, and the platform below them, write."""
