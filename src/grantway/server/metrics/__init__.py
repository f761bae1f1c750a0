"""Metrics: what each process counts in memory, what several workers share, and how Prometheus reads it.

Labels are routes, slugs and names of ours: never anything that a request said.
"""

from grantway.server.metrics.counting import Metrics

__all__ = ["Metrics"]
