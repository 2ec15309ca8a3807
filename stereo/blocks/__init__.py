"""Parts that several networks share, one file each."""
