"""PyTorch: modules and callables, run as twins, and files of TorchScript and `torch.export`."""
