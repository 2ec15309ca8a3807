"""The methods of the slot "allocation": how many bits each layer gets under a budget."""
