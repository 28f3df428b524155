"""What an activation does to a network: modules, data, vectorised training over seeds, and the paired studies.

Needs the extra `train`; nothing else imports it. Networks of all seeds of a configuration are trained at once: their
weights are stacked along a first axis, and each matrix product is a batched one.
"""
