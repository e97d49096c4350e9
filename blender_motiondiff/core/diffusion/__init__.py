"""Sampling: schedule, samplers, and the walk from a request to takes."""
