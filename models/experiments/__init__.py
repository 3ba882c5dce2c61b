"""The thesis' experiments: what they are made of, and the tables and figures that they give."""
