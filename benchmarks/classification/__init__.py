"""The classification control: a network, image sets and a loop for them; what prunes is the package's own stage one."""
