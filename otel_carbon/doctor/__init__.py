"""What is wrong with how an application's calls are seen: facts of its environment, observations, and findings."""
