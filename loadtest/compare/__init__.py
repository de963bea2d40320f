"""Two load tests, regression or not. `python -m loadtest compare`."""
