"""kube-scheduler: watches pods and nodes, decides one pod at a time, binds.

Pure: `queue` (who is next), `cache` (what the nodes hold, assumed pods too), `cycle` (one decision),
`diagnosis` (why not), `plugins/` (one file each). Shell: `shell`, which `models/cluster.py` boots.
"""
