"""What is published on a pull request, and what is not."""
