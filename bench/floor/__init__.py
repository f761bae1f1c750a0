"""How close to the floor: what the parts of a request cost on this machine when nothing is around them."""
