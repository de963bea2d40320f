"""What only the local cluster can bear is not collected on another."""

import kubectl as k

if not k.is_local():
    collect_ignore = ["test_fence.py", "test_lifecycle.py", "test_nodes.py"]
