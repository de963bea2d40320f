"""The autoscaler's arithmetic, and what follows from it. Pure: nothing here asks a cluster.

The rules are those of Kubernetes 1.36's HorizontalPodAutoscaler (autoscaling/v2) and of KEDA 2.21.
"""
