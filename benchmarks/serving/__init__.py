"""What HTTP costs: the served model against the same model called directly, in one run."""
