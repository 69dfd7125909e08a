"""Authorization: whether somebody may do something, as one server knows the rules.

`authorizer.py` asks the modes in order: `node.py` for kubelets, `rbac.py` for everybody, by the rules of `rules.py`.
`default_roles.py` has the roles that every cluster begins with, `bootstrap.py` stores them. Called by the gate.
"""
