"""Commands that need no request: their names and what they do. No import: completion reads this too."""

COMMANDS = ("serve", "db upgrade", "catalog lint", "catalog schema", "policy lint", "policy test", "completion")
SANDBOX = "sandbox"
SHELLS = ("bash", "zsh", "fish")
HELP = (
    ("serve", "Run the bot: Slack, health, and the work itself."),
    ("db upgrade", "Bring the database to the schema of this version; prints its revision."),
    ("catalog lint", "Say what is wrong in catalog/, with file and line."),
    ("catalog schema [--write]", "Print the catalog's JSON Schema for editors, or write it to catalog/schema.json."),
    ("policy lint", "Say what is wrong in policies/, with file and line."),
    ("policy test", "Run the cases of policies/tests/."),
    ("completion bash|zsh|fish", "Print what teaches a shell to complete `aisq`."),
    ("sandbox …", "A small cloud on this machine, for rehearsal; `aisq sandbox --help` says more."),
)
