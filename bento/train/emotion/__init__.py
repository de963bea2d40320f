"""The emotion model: GoEmotions to an int8 ONNX classifier of 14 labels.

Steps in order; all paths are the caller's, each `out` is a folder:

1. `teacher.run_bge(jar, train, dev, out, seed)`: 12 layers on the labels.
2. `teacher.run_minilm(train, dev, out, seed)`: 6 layers on the labels.
3. `student.run(start, teachers, train, dev, out, *, seed)`: goes on from step 2's
   folder, taught by the `train_logits.npy` of step 1 alone, and averages weights.
4. `finish.run(student, train, dev, out, seed)`: temperature, fp32 and int8 files.

`export.export_classifier(model, tokenizer, out_dir, quantize)` serves step 4
and anyone's own BERT or RoBERTa. `data` needs numpy alone, all others torch.
"""
