"""What one pod holds: the search for its knee, and the chart's values that follow. Pure."""
