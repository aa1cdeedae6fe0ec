"""The runner for several GPUs and machines: one actor of Ray for each, with a warm engine of its own.

Import it only where a cluster is used, because Ray is an optional dependency (``ltx-studio[cluster]``). Only
`cluster.py` imports Ray.
"""
