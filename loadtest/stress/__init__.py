"""The origin's stress script: Locust from the shell on a plain URL. `python -m loadtest stress`."""
