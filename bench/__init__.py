"""Measurements beside what people use instead; ratios within one run count, not the figures of one machine."""
