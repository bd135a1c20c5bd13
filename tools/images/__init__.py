"""The services' images: built, invoked, pushed and measured. `make` is the way in."""
