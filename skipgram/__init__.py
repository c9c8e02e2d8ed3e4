"""Skip-gram embeddings by candidate sampling: the door to this project from Python.

    import skipgram

    embeddings = skipgram.train(documents, epochs=5)
    embeddings.neighbors("word")

`train` trains in this process on documents in memory. `run` runs the whole pipeline: held-out loss,
gate, lineage, cache. Nothing heavy is imported before it is used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.results.embeddings import Embeddings
    from pipeline.results.records import Summary
    from skipgram.running import run
    from skipgram.training import train
    from trainer_module.errors import InputError
    from trainer_module.objectives import losses
    from trainer_module.objectives.candidate_sampling import Sampler

__all__ = [
    "Config",
    "Embeddings",
    "InputError",
    "Sampler",
    "Summary",
    "losses",
    "run",
    "train",
]

# Where each name is; imported when it is first used.
_MODULES = {
    "Config": "pipeline.config",
    "Embeddings": "pipeline.results.embeddings",
    "InputError": "trainer_module.errors",
    "Sampler": "trainer_module.objectives.candidate_sampling",
    "Summary": "pipeline.results.records",
    "losses": "trainer_module.objectives.losses",
    "run": "skipgram.running",
    "train": "skipgram.training",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(_MODULES[name])
    return module if name == "losses" else getattr(module, name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
