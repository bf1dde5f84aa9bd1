"""Small networks of every family people export, in torch and in Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

CHANNELS, SAMPLES, CLASSES = 3, 32, 4


class _Residual(nn.Module):
    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.relu(self.conv(x))


class _Recurrent(nn.Module):
    def __init__(self, kind: type[nn.RNNBase], both: bool = False) -> None:
        super().__init__()
        self.rnn = kind(CHANNELS, 8, batch_first=True, bidirectional=both)
        self.head = nn.Linear(16 if both else 8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(x.transpose(1, 2))[0][:, -1])


class _Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Conv1d(CHANNELS, 16, 4, stride=4)
        layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1)
        self.head = nn.Linear(16, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(self.embed(x).transpose(1, 2)).mean(1))


class _Inception(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.squeeze = nn.Conv1d(CHANNELS, 6, 1, bias=False)
        self.wide = nn.ModuleList(nn.Conv1d(6, 4, k, padding="same", bias=False) for k in (3, 9, 19))
        self.pool = nn.Sequential(nn.MaxPool1d(3, 1, 1), nn.Conv1d(CHANNELS, 4, 1, bias=False))
        self.norm = nn.BatchNorm1d(16)
        self.head = nn.Linear(16, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        squeezed = self.squeeze(x)
        parts = [conv(squeezed) for conv in self.wide] + [self.pool(x)]
        return self.head(torch.relu(self.norm(torch.cat(parts, 1))).mean(-1))


class _UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv1d(CHANNELS, 8, 5, padding=2)
        self.bottom = nn.Conv1d(8, 8, 5, padding=2)
        self.up = nn.ConvTranspose1d(8, 8, 2, stride=2)
        self.out = nn.Conv1d(16, CLASSES, 1)

    def forward(self, x: Tensor) -> Tensor:
        down = torch.relu(self.down(x))
        bottom = torch.relu(self.bottom(nn.functional.max_pool1d(down, 2)))
        return self.out(torch.cat([down, self.up(bottom)], 1)).transpose(1, 2)


class _EEGNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 4, (1, 15), padding=(0, 7), bias=False),
            nn.BatchNorm2d(4),
            nn.Conv2d(4, 8, (CHANNELS, 1), groups=4, bias=False),
            nn.BatchNorm2d(8),
            nn.ELU(),
            nn.AvgPool2d((1, 4)),
            nn.Dropout(0.25),
            nn.Conv2d(8, 8, (1, 7), padding=(0, 3), groups=8, bias=False),
            nn.Conv2d(8, 8, 1, bias=False),
            nn.BatchNorm2d(8),
            nn.ELU(),
            nn.AvgPool2d((1, 4)),
            nn.Flatten(),
            nn.Linear(8 * SAMPLES // 16, CLASSES),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x[:, None])


class _Spectrum(nn.Module):
    """Log power of a short-time Fourier transform, then a small network."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(16))
        self.head = nn.Sequential(nn.Conv1d(CHANNELS * 9, 8, 3), nn.ReLU(), nn.Flatten())
        self.out = nn.LazyLinear(CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        flat = x.reshape(-1, SAMPLES)
        z = torch.stft(flat, 16, 8, window=self.window, center=False, return_complex=False)
        power = torch.log1p(z.square().sum(-1)).reshape(x.shape[0], CHANNELS * 9, -1)
        return self.out(self.head(power))


def _sequential(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.LazyLinear(CLASSES))


TORCH: dict[str, Callable[[], nn.Module]] = {
    "conv+bn": lambda: _sequential(nn.Conv1d(CHANNELS, 8, 5), nn.BatchNorm1d(8), nn.ReLU()),
    "depthwise": lambda: _sequential(
        nn.Conv1d(CHANNELS, 6, 5, groups=CHANNELS), nn.Conv1d(6, 8, 1), nn.GELU()
    ),
    "dilated TCN": lambda: _sequential(nn.Conv1d(CHANNELS, 8, 1), *(_Residual(8, 2**i) for i in range(3))),
    "LSTM": lambda: _Recurrent(nn.LSTM),
    "BiLSTM": lambda: _Recurrent(nn.LSTM, both=True),
    "GRU": lambda: _Recurrent(nn.GRU),
    "Transformer": _Transformer,
    "InceptionTime": _Inception,
    "U-Net": _UNet,
    "EEGNet": _EEGNet,
    "STFT": _Spectrum,
}
EXTRA: dict[str, Callable[[], nn.Module]] = {
    "GroupNorm": lambda: _sequential(nn.Conv1d(CHANNELS, 8, 5), nn.GroupNorm(2, 8), nn.ReLU()),
}


def torch_net(family: str) -> nn.Module:
    """Make a network with weights and batch statistics that are not the initial ones."""
    torch.manual_seed(0)
    net = (TORCH | EXTRA)[family]()
    net.train()
    with torch.no_grad():
        for _ in range(5):
            net(2 * torch.randn(32, CHANNELS, SAMPLES) + 0.5)
    return net.eval()


def keras_net(family: str) -> Any:
    """Make the same family in Keras, on whichever backend it runs."""
    import keras
    import numpy as np

    keras.utils.set_random_seed(0)
    L = keras.layers
    x = inputs = keras.Input((SAMPLES, CHANNELS))
    if family == "conv+bn":
        x = L.ReLU()(L.BatchNormalization()(L.Conv1D(8, 5)(x)))
    elif family == "depthwise":
        x = L.Activation("gelu")(L.SeparableConv1D(8, 5, depth_multiplier=2)(x))
    elif family == "dilated TCN":
        x = L.Conv1D(8, 1)(x)
        for i in range(3):
            y = L.Conv1D(8, 3, dilation_rate=2**i, padding="causal", activation="relu")(x)
            x = L.Add()([x, y])
    elif family == "LSTM":
        x = L.LSTM(8)(x)
    elif family == "BiLSTM":
        x = L.Bidirectional(L.LSTM(8))(x)
    elif family == "GRU":
        x = L.GRU(8)(x)
    elif family == "Transformer":
        x = L.Conv1D(16, 4, strides=4)(x)
        x = L.LayerNormalization()(x + L.MultiHeadAttention(4, 4)(x, x))
    elif family == "InceptionTime":
        wide = [L.Conv1D(4, k, padding="same", use_bias=False)(x) for k in (3, 9, 19)]
        pool = L.Conv1D(4, 1)(L.MaxPooling1D(3, 1, padding="same")(x))
        x = L.ReLU()(L.BatchNormalization()(L.Concatenate()([*wide, pool])))
    elif family == "U-Net":
        down = L.Conv1D(8, 5, padding="same", activation="relu")(x)
        y = L.Conv1D(8, 5, padding="same", activation="relu")(L.MaxPooling1D(2)(down))
        x = L.Concatenate()([down, L.Conv1DTranspose(8, 2, strides=2)(y)])
    elif family == "EEGNet":
        x = L.Reshape((SAMPLES, CHANNELS, 1))(x)
        x = L.BatchNormalization()(L.Conv2D(4, (15, 1), padding="same", use_bias=False)(x))
        x = L.DepthwiseConv2D((1, CHANNELS), depth_multiplier=2, use_bias=False)(x)
        x = L.AveragePooling2D((4, 1))(L.ELU()(L.BatchNormalization()(x)))
        x = L.SeparableConv2D(8, (7, 1), padding="same")(L.Dropout(0.25)(x))
        x = L.Flatten()(L.AveragePooling2D((4, 1))(x))
    elif family == "STFT":
        spectra = L.STFTSpectrogram(frame_length=16, frame_step=8, fft_length=16, mode="psd")
        x = L.Flatten()(L.Conv1D(4, 2, activation="relu")(spectra(x)))
    if len(x.shape) == 3 and family != "U-Net":
        x = L.GlobalAveragePooling1D()(x)
    net = keras.Model(inputs, L.Dense(CLASSES)(x))
    rng = np.random.default_rng(0)
    for layer in net.layers:  # batch statistics that are not the initial ones
        if isinstance(layer, L.BatchNormalization):
            layer.moving_mean.assign(rng.normal(0, 0.3, layer.moving_mean.shape))
            layer.moving_variance.assign(rng.uniform(0.3, 2, layer.moving_variance.shape))
    return net
