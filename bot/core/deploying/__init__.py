"""What operations that bring out releases share: which image, which stages, what is looked at, the plan."""

DEPLOYING = ("deploy", "promote")  # the operations that do
