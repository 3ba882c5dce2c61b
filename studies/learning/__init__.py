"""What networks learn from: images and answers from files and from the store, as `crowdloom.models` takes them."""
