"""Nimble's operations, one module for each resource: the facts on top, the methods below."""
