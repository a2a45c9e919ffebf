"""Ways in and out: convert in, call the engine's front, convert out. No rule lives here."""
