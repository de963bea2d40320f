"""Asks a running server whether it does what is documented: `python -m bento.check --help`.

`helm test` runs it in the cluster; it needs nothing that the image does not have.
"""
