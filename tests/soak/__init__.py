"""What takes too long for every run: the same things happen again and again for as long as there is time (``make soak``)."""
