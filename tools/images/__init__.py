"""The services' images: built, invoked, pushed, rolled back and measured. `make` is the way in."""
