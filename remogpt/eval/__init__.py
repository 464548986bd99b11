"""Evaluation: pure metric functions, evaluator networks, protocols and reports.

Metric modules (`generation`, `retrieval`, `captioning`, `reconstruction`, `rare`, `physical`, `facts`) take arrays and
strings and know nothing about models. `guo` holds the evaluator networks that the field's published numbers come from.
`mini` runs a model over a set; the model arrives as an argument (see `protocols`).
"""
