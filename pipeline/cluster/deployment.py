"""What a cluster needs of the configuration; light: a wrong one is answered at once."""

import re

from components.text_example_gen import files
from pipeline.cluster import cloud_storage
from pipeline.config import Config
from pipeline.paths import require_plain
from trainer_module.errors import InputError

# Families of machines of Google Cloud with GPUs (a2-, a3-, g2-, ...) or TPUs (ct5lp-, ...).
_WITH_ACCELERATOR = re.compile(r"(a|g|ct|tpu)[0-9]+[a-z]*-")
NEEDED = {"kubeflow": ("image", "output"), "vertex": ("image", "output", "project")}


def require(config: Config, cluster: str) -> None:
    """Checks that a configuration can be compiled.

    Args:
      config: the configuration.
      cluster: kubeflow or vertex.

    Raises:
      InputError: fields are not set, a place is none that a cluster can read or write, or the
        workers of a pod could not reach the output: all of it.
    """
    problems = [
        f"{cluster} needs deployment.{field}: set it in the configuration or by "
        f"--set deployment.{field}=..."
        for field in NEEDED[cluster]
        if getattr(config.deployment, field) is None
    ]
    problems += _out_of_reach(config) if cluster == "kubeflow" else []
    problems += _unused_accelerator(config) if cluster == "vertex" else []
    for check in (_check_output, _check_base, _check_sets, pattern):
        try:
            check(config)
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("; ".join(problems))


def _check_output(config: Config) -> None:
    if output := config.deployment.output:
        cloud_storage.require_gs(output, "deployment.output")
        require_plain(output)


def _check_base(config: Config) -> None:
    if base := config.trainer.base_path:
        _check_readable(base, "trainer.warm_start")


def _check_sets(config: Config) -> None:
    for kind, paths in config.evaluator.sets.items():
        for path in paths:
            _check_readable(path, f"evaluator.{kind}")


def _check_readable(path: str, what: str) -> None:
    """Checks that a file may be there for a node of a cluster."""
    if path.startswith("/"):
        return
    if not path.startswith("gs:") and not files.is_remote(path):
        raise InputError(
            f"{what} = {path!r} is not where a cluster could look: write gs://BUCKET/FILE, or an "
            "absolute path in the image"
        )
    cloud_storage.require_gs(path, what)


def _out_of_reach(config: Config) -> list[str]:
    """What keeps the workers of one pod from the output, if they have a network of their own."""
    trainer = config.trainer
    if trainer.workers == 1 or trainer.expose_workers:
        return []
    return [
        f"the {trainer.workers} workers of one pod have no network but their own, and "
        "deployment.output is elsewhere: set trainer.workers=1, or, where a NetworkPolicy shuts "
        "the pod's ports, trainer.expose_workers=true"
    ]


def _unused_accelerator(config: Config) -> list[str]:
    """A machine whose price is that of its GPU or TPU, which nothing here would use."""
    name = config.deployment.machine_type
    if not _WITH_ACCELERATOR.match(name.lower()):
        return []
    return [
        f"deployment.machine_type = {name} has a GPU or a TPU, and no step of training uses one: "
        "it updates a few rows of large tables, which is work of memory and not of arithmetic, and "
        "the image has no driver. Name a type without, such as n1-standard-8, or n1-highmem-16 for "
        "larger tables"
    ]


def pattern(config: Config) -> str:
    """The corpus as the nodes see it: a glob, of all files where a folder is named.

    Raises:
      InputError: it is not one, or not where a cluster can read.
    """
    given = config.corpus.files
    if len(given) != 1:
        raise InputError(
            f"a cluster reads one glob, and the corpus is {len(given)}: name files in one folder, "
            "such as --corpus 'gs://bucket/books/*.txt.gz'"
        )
    [one] = given
    if files.is_dated(one):
        raise InputError(
            f"the corpus {one!r} holds a date, and a job spec is compiled once for all nights: "
            "compile it with the files of one folder, such as 'gs://bucket/logs/*.txt.gz', and "
            "name each night's at submission: skipgram submit ... --parameter "
            "corpus=gs://bucket/logs/2026-11-24"
        )
    cloud_storage.require_gs(one, "corpus.files")
    return one if files.has_magic(one) or files.known_ending(one) else f"{one.rstrip('/')}/*"
