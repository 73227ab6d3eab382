"""Stories of several nodes, each a text file with the end it has to come to."""
