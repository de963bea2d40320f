"""The words that all folders share: routes, metric names, errors, made-up sentences."""

__version__ = "0.1.0"
