"""The emotion model: GoEmotions to an int8 ONNX classifier of 14 labels.

Steps in order; all paths are the caller's, each `out` is a folder:

1. `teacher.run_bge(jar, train, dev, out, seed)`: 12 layers on the labels.
2. `teacher.run_minilm(train, dev, out, seed)`: 6 layers on the labels.
3. `lessons.run(teachers, train, out, seed)`: what both say of the training texts
   and of altered ones.
4. `student.run(start, lessons, train, dev, out, *, seed)`: goes on from step 2's
   folder, taught by step 3 and by the labels.
5. `finish.run(student, train, out, seed)`: fp32 and int8 files.
6. `calibrate.run(finished, dev, out, seed)`: offsets and temperature, in the last layer.

`export.export_classifier(model, tokenizer, out_dir, quantize)` serves step 5
and anyone's own BERT or RoBERTa. `data` needs numpy alone, all others torch.
"""
