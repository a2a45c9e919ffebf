"""Cloud Monitoring v3, as far as request counts of Cloud Run go."""
