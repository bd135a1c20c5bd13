"""The built-in strategies, each as one tree."""
