"""The French intent model: hashed n-grams and small convolutional networks, one spaCy pipeline."""
