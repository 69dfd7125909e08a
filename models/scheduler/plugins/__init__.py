"""One file a plugin, found by its decorator (`framework.enabled` loads them all).

Not modelled: ImageLocality (images are everywhere); VolumeRestrictions, NodeVolumeLimits, VolumeBinding and
VolumeZone (a pod's volumes don't bind it to nodes); DynamicResources; NodeDeclaredFeatures; DefaultPreemption
(`diagnosis` says what it would say, and names the nodes where it would evict).
"""
