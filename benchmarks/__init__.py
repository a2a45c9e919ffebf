"""What aisq costs, each figure beside its floor: the same job done by the least that could do it, in the same run."""
