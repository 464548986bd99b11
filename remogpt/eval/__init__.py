"""Evaluation: pure metric functions, evaluator networks, protocols and reports.

Metric modules (`generation`, `retrieval`, `captioning`, `reconstruction`, `rare`, `physical`, `facts`) take arrays and
strings and know nothing about models. `evaluators` holds the networks in whose space generation is scored; `runs` and
`tasks` evaluate a model on a set; the model arrives as an argument (`remogpt.interfaces.Model`).
"""
