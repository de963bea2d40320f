"""A real Kubernetes on one machine with no container engine: built, started, watched, removed.

Standard library only: it runs with the machine's own Python, before any environment exists.
"""
