"""Custom resources in an API server: definitions, the resources they add, and the objects in these.

`definitions.py` says which definitions are taken, what becomes of one that is deleted, and when its resources are served;
`naming.py` and `controllers.py` are the controllers inside the server that accept names, establish a definition and clean up
after it. `objects.py` and `validation.py` read and judge custom objects by their schemas, `versions.py` lets one version stand
in etcd while others are served, `scale.py` is the scale subresource.
"""
