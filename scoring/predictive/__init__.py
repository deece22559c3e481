"""The predictive score: a logistic regression kept as JSON, and what must be asked of its data.

Pure but for ``fitting``, the only place that needs scikit-learn. Everything a formula knows of a
lead falls into levels (a value, a range of numbers, "no answer"), each with a weight, so that a
prediction is a sum that can be read line by line, as the score is.
"""
