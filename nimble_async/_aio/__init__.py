"""The async shell around the rules: the only place that waits, sends and owns lifetimes."""
