"""The rules: pure functions over frozen values. No await, clock, random, file or socket."""
