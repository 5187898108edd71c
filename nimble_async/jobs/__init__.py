"""Long work over many calls: it moves whole accounts, survives a kill, and says what it did."""
