"""`skipgram compile` and `skipgram rehearse`: to a job spec, and what a cluster does with one."""

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from pipeline.cluster import job_spec, kubeflow_runner, vertex_runner
from pipeline.cluster.rehearsal import closing, rehearsal
from pipeline.config import Config
from pipeline.results import display, summary_tables
from pipeline.terminal import shown, stderr_to

_RUNNERS = {"kubeflow": kubeflow_runner, "vertex": vertex_runner}


def compile_to(cluster: str, config: Config, path: Path) -> None:
    """Writes a job spec that was checked.

    Args:
      cluster: kubeflow or vertex.
      config: which deployment.require has let pass.
      path: of the spec.

    Raises:
      InputError: see job_spec.validate.
    """
    compiled = _RUNNERS[cluster].compile_job(config)
    job_spec.validate(job_spec.parsed(compiled))
    job_spec.write(compiled, path)


def rehearse(path: Path, root: Path, parameters: Mapping[str, str], console: Console) -> None:
    """Runs a job spec on this machine and shows what its model came to.

    Args:
      path: of the spec.
      root: an empty folder.
      parameters: see rehearsal.rehearse.
      console: where to show it.
    """
    spec = job_spec.read(path)
    job_spec.validate(spec)
    with display.ProgressDisplay(console) as progress:
        outputs = rehearsal.rehearse(spec, root, parameters, progress.show)
    with stderr_to(root / "logs" / "summary.log"):
        found = closing.closing(spec, outputs)
    console.print(summary_tables.metrics_table(found.metrics))
    where = f"pushed to {found.pushed_to}; exported to {found.vectors}" if found.pushed_to else ""
    for line in filter(None, (found.verdict, where)):
        console.print(shown(line), markup=False, highlight=False, soft_wrap=True)
