"""Service accounts: their keys and tokens (`signing`, `tokens`), and what each namespace has of them (`controller`)."""
