"""What changes the steps that an optimizer takes."""
