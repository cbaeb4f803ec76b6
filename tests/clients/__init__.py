"""Real clients with their instrumentations, in environments of their own: what they call, and how to install them."""
