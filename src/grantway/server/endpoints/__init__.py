"""Machine endpoints, by dialect: each joins a reader, a rule and a writer. No decision is made here."""
