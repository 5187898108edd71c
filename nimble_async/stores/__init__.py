"""Where tokens, budgets, profiles and checkpoints outlive a process."""
