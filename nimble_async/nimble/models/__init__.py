"""What Nimble answers, as frozen records."""
