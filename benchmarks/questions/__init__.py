"""One file a question; each has `rows()`, whose arguments are sizes."""
