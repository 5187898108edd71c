"""Nimble: its client, its dialect, its models and its resources."""
