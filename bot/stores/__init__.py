"""What is remembered: tables, the effect ledger, the audit chain, and the files of catalog/ and policies/."""
