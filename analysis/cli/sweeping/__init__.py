"""Many fits and designs from one plan: the plan, its tasks, the folder of results, and who does the work."""
