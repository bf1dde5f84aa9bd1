"""Kinds of files: an entry for each, and a module that reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path

from .._check import shown
from ..errors import add_context
from ..plugins import READERS, Plugin, added, plugins
from .recording import Recording

Reader = Callable[[Path, tuple[str, ...] | None], Recording]
"""From a path and the channels wanted, None for all, to what the file holds."""


@dataclass(frozen=True)
class Format:
    """A kind of files.

    Parameters
    ----------
    module : str
        Module of `freqig.files` that has `load(path, channels)`.
    suffixes : tuple of str
        How the names of such files end.
    starts : tuple of bytes
        How their contents begin, where that tells.
    extra : str
        Extra of the package that installs the library.
    """

    module: str
    suffixes: tuple[str, ...]
    starts: tuple[bytes, ...] = ()
    extra: str = ""


FORMATS = (
    Format("edf", (".edf", ".bdf"), (b"0       ", b"\xffBIOSEMI"), "eeg"),
    Format("gdf", (".gdf",), (b"GDF ",), "eeg"),
    Format(
        "mne_files",
        (".fif", ".fif.gz", ".vhdr", ".set"),
        (b"Brain Vision", b"BrainVision"),
        "eeg",
    ),
    Format(
        "sound",
        (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".w64"),
        (b"RIFF", b"RF64", b"fLaC", b"OggS", b"ID3", b"FORM", b".snd"),
        "audio",
    ),
    Format("tables", (".csv", ".tsv", ".txt", ".parquet"), (b"PAR1",), "tables"),
    Format("arrays", (".npy", ".npz"), (b"\x93NUMPY",)),
    Format("matlab", (".mat",), (b"MATLAB 5.0", b"MATLAB 7.3"), "matlab"),
    Format("datasets", (".nc", ".h5", ".zarr"), (b"CDF\x01", b"CDF\x02", b"\x89HDF\r\n\x1a\n"), "zarr"),
    Format(
        "seismic",
        (".mseed", ".miniseed", ".ms", ".sac"),
        # The first record, by its quality.
        (b"000001D ", b"000001R ", b"000001Q ", b"000001M "),
        "seismic",
    ),
    Format("wfdb_files", (".hea",), (), "ecg"),
)


def stem_of(path: Path) -> str:
    """Name of a file without the ending that says what it is.

    Examples
    --------
    >>> stem_of(Path("a/night.edf")), stem_of(Path("a/record-[2012.07.11]_raw.fif")), stem_of(Path("a/b.c"))
    ('night', 'record-[2012.07.11]_raw', 'b')
    """
    lower = path.name.lower()
    known = [end for end in endings() if lower.endswith(end)]
    cut = max(map(len, known), default=len(path.suffix))
    return path.name[: len(path.name) - cut] or path.name


def endings() -> list[str]:
    """How the names of recordings end that have a reader, of freqig or of another package."""
    return [end for one in FORMATS for end in one.suffixes] + [one.name for one in plugins(READERS)]


HEADERS = (".vhdr", ".hea", ".set")
"""How the names of files end that tell what is in another one beside them."""
FOLDERS = (".zarr",)
"""How the names of recordings end that are folders."""


def reader_of(path: Path) -> Reader:
    """What reads a file, by the end of its name, else by how it begins.

    Raises
    ------
    ValueError
        If nothing does, or it is not clear what does.
    ImportError
        If its library is missing; the error names the extra to install.
    """
    name = path.name.lower()
    found = next((one for one in FORMATS if name.endswith(one.suffixes)), None)
    plugin = added(READERS, name.endswith, own=found is not None)
    if plugin is not None:
        return partial(_read_by, plugin)
    if found is None and path.is_file():
        with path.open("rb") as file:
            start = file.read(16)
        found = next((one for one in FORMATS if start.startswith(one.starts)), None)
    if path.is_dir() and not name.endswith(FOLDERS):
        raise ValueError(
            f"path must be that of a recording, but {str(path)!r} is a folder: pass the files in it, such as "
            "sorted(pathlib.Path(folder).glob('*.edf'))"
        )
    if found is None:
        header = next((one for end in HEADERS if (one := path.with_suffix(end)).is_file()), None)
        raise ValueError(
            f"path must be a recording that has a reader ({', '.join(endings())}), got {str(path)!r}"
            + (f": pass its header, {header.name!r}" if header else "")
        )

    def load(path: Path, channels: tuple[str, ...] | None) -> Recording:
        module = import_module(f".{found.module}", __package__)
        try:
            recording: Recording = module.load(path, channels)
        except ImportError as error:
            raise ImportError(
                f"{path.name} needs the library {error.name!r}: pip install freqig[{found.extra}]",
                name=error.name,
            ) from error
        except Exception as error:
            if path.name in str(error):
                raise
            # Libraries raise as the damage has it, some of them when values are asked for.
            said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            raise ValueError(f"{path.name} must be whole, and cannot be read: {said}") from error
        return recording

    return load


def _read_by(plugin: Plugin, path: Path, channels: tuple[str, ...] | None) -> Recording:
    """What the reader of another package finds, with the channels wanted, whether it heeds them or not."""
    load = plugin.load()
    try:
        found = load(path, channels)
    except Exception as error:
        add_context(error, f"{path.name} is read by {plugin.entry.value} of {plugin.package}")
        raise
    if not isinstance(found, Recording):
        raise TypeError(
            f"{plugin.entry.value} of {plugin.package} must return a freqig.files.Recording, got "
            f"{shown(found)}"
        )
    if channels is None or found.channels == channels:
        return found
    places = pick(found.channels, channels, found.values.shape[-2], path.name)
    return replace(found, values=found.values[..., places, :], channels=channels)


def pick(names: tuple[str, ...] | None, channels: tuple[str, ...] | None, count: int, name: str) -> list[int]:
    """Places of the channels wanted, in the order wanted.

    Raises
    ------
    ValueError
        If one is not there, or occurs twice.
    """
    if channels is None:
        return list(range(count))
    names = tuple(map(str, range(count))) if names is None else names
    wrong = [one for one in channels if names.count(one) != 1]
    if wrong:
        how = "several of" if wrong[0] in names else "no"
        raise ValueError(
            f"channels must each be one of {', '.join(names[:20])}{', …' if len(names) > 20 else ''} in "
            f"{name}, which has {how} {wrong[0]!r}"
        )
    return [names.index(name) for name in channels]
