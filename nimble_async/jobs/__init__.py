"""Long work over many calls: what moves whole accounts, can be killed at any instant, and says what it did."""
