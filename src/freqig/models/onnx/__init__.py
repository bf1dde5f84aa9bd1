"""ONNX: files are read within limits, converted to PyTorch, and compared with onnxruntime."""
