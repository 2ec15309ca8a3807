"""Many runs of one recipe with other settings, and the front of error against cost."""
