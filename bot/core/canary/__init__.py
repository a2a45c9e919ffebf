"""What `core/judge.py` judges by: rules and records of a canary, the statistics, the grounds of a verdict."""
