"""KerasTuner's part: which values are tried next."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.errors import FatalError
from keras_tuner.oracles import BayesianOptimizationOracle
from threadpoolctl import threadpool_limits

from components.hyperparameter_tuner import data
from components.hyperparameter_tuner.records import Records, digest_of
from components.hyperparameter_tuner.search_space import (
    POWERED,
    SAMPLER,
    SAMPLER_POWER,
    Space,
    Value,
    search_space,
)
from components.hyperparameter_tuner.trials import Settings, Trials
from components.tfx_api import TunerFnResult
from trainer_module.training.progress import BegunAnew, Listener, News, Resumed, described
from trainer_module.workers import group

# Trials whose values are drawn at random, before the Gaussian process knows enough to choose: one
# for each field that is searched, as a line has as many coefficients.
_RANDOM_TRIALS = 8
# Of custom_config what says how far to search and where to note it, and not what a trial is.
_OF_THE_SEARCH = ("trials", "records")


class Oracle(BayesianOptimizationOracle):
    """KerasTuner's Gaussian process, which begins with what is set, and asks for nothing twice."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """The values of the next trial; see KerasTuner's."""
        if not self.trials:
            return {"status": TrialStatus.RUNNING, "values": dict(self.hyperparameters.values)}
        # Several threads add up in another order on each machine, and are slower for so little.
        with threadpool_limits(1):
            found: dict[str, Any] = super().populate_space(trial_id)
        # It may well believe in the best one that is known.
        if found["values"] is not None and self._duplicate(found["values"]):
            found = self._random_populate_space()
        return found


class SkipGramTuner(BaseTuner):
    """Runs a trial in this process; no Keras model is built."""

    def __init__(self, oracle: Oracle, space: Space, trials: Trials, folder: str):
        """Takes a folder for KerasTuner's own files, which nobody reads: see Records.

        The oracle is one of hyperparameters(space, ...).
        """
        super().__init__(oracle, directory=folder, project_name="keras_tuner", overwrite=True)
        self.trials, self._space = trials, space

    def run_trial(self, trial: Trial, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Measures the values of a trial.

        Raises:
          FatalError: it could not be measured. Of any other error KerasTuner makes a failed trial,
            and goes on.
        """
        try:
            values = as_configured(self._space, trial.hyperparameters.values)
            found = self.trials.run(values, self._listener())
        except Exception as error:
            raise FatalError(f"{type(error).__name__}: {error}") from error
        return {self.trials.measure: found.measure}

    def _listener(self) -> Listener:
        """Prints where the search stands, and where training does."""
        number = len(self.trials.ended) + 1
        best = max((trial.measure for trial in self.trials.ended), default=None)
        stands = f"trial {number} of {self.oracle.max_trials}"
        if best is not None:
            stands += f", best {best:.4f}"

        def listener(news: News) -> None:
            if not isinstance(news, BegunAnew | Resumed):
                print(f"{stands}: {described(news)}", flush=True)

        return listener


def hyperparameters(space: Space, settings: Settings) -> keras_tuner.HyperParameters:
    """A search space as KerasTuner has it: choices, of which what is set is the default."""
    found = keras_tuner.HyperParameters()
    for name, values in space.items():
        section, _, field = name.partition(".")
        is_of = (
            {"parent_name": SAMPLER, "parent_values": [POWERED]} if name == SAMPLER_POWER else {}
        )
        default = getattr(getattr(settings, section), field)
        choices, default = _of_one_type(values, default)
        found.Choice(name, choices, default=default, **is_of)
    return found


def _of_one_type(values: Sequence[Value], default: Value) -> tuple[list[Value], Value]:
    """KerasTuner has no choice between a number and a word: then both are words."""
    if len({type(value) for value in values}) == 1:
        return list(values), default
    return [str(value) for value in values], str(default)


def as_configured(space: Space, values: Mapping[str, Value]) -> dict[str, Value]:
    """What KerasTuner has drawn, as the configuration has it.

    >>> as_configured({"preprocessing.window": (5, "all")}, {"preprocessing.window": "5"})
    {'preprocessing.window': 5}
    """
    return {
        name: next(one for one in space[name] if str(one) == str(value))
        for name, value in values.items()
    }


def tuner_fn(fn_args: Any) -> TunerFnResult:
    """TFX's entry point.

    Args:
      fn_args: its custom_config holds `kind`, of the corpus; `preprocessing` and `trainer`, the
        fields of their hyperparameters; `seed`; `sample`, the share of the documents to train on,
        or None; `trials`, their number; `records`, a folder that outlives a killed run; and
        whatever else makes a trial another one.

    Raises:
      InputError: the sample has nothing to train on, or nothing is held out.
    """
    config = fn_args.custom_config
    workers = group.join(threads=config["trainer"]["threads"])
    found = data.read(
        fn_args.transform_graph_path,
        fn_args.train_files,
        fn_args.eval_files,
        share=config["sample"],
        seed=config["seed"],
        kind=config["kind"],
    )
    of_trials = {name: value for name, value in config.items() if name not in _OF_THE_SEARCH}
    named = digest_of([json.dumps(of_trials, sort_keys=True).encode(), found.digest().encode()])
    records = Records(Path(config["records"], named))
    sections = {name: config[name] for name in Settings._fields}
    trials = Trials(found, config["kind"], sections, workers, records)
    space = search_space(config["kind"], *trials.settings)
    oracle = Oracle(
        keras_tuner.Objective(trials.measure, direction="max"),
        max_trials=config["trials"],
        num_initial_points=_RANDOM_TRIALS,
        seed=config["seed"] + 1,  # of 0 KerasTuner makes another one each time
        hyperparameters=hyperparameters(space, trials.settings),
    )
    oracle.verbose = 0
    return TunerFnResult(SkipGramTuner(oracle, space, trials, fn_args.working_dir), {})
