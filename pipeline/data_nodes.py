"""The first nodes of the graph: from the files to pairs."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from components.corpus_listing.component import CorpusListing
from components.curated_schema.component import CuratedSchema
from components.embedding_evaluator.intrinsic.set_listing import EvaluationSetListing
from components.example_validator.component import StoppingExampleValidator
from components.fingerprint import code_fingerprint
from components.ordered_transform.component import Transform
from components.text_example_gen import files
from components.text_example_gen.component import TextExampleGen
from components.tfx_api import BaseNode, RuntimeParameter, StatisticsGen, StatsOptions
from pipeline.config import Config, as_dict
from pipeline.corpus.dates import Corpus

SCHEMA_FILE = Path(__file__).with_name("schema.pbtxt")


class DataNodes(NamedTuple):
    """In the order of the data."""

    example_gen: BaseNode
    schema_gen: BaseNode
    statistics_gen: BaseNode
    example_validator: BaseNode
    transform: BaseNode


def listing_nodes(
    config: Config, corpus: Corpus, corpus_root: RuntimeParameter | None
) -> list[BaseNode]:
    """What looks at files where no driver does: at the corpus; at intrinsic sets, if there are."""
    root, patterns = files.split_root(corpus.patterns)
    of_corpus = CorpusListing(root=corpus_root or root, patterns="\n".join(patterns))
    named = {kind: "\n".join(paths) for kind, paths in config.evaluator.sets.items()}
    return [of_corpus, *([EvaluationSetListing(**named)] if any(named.values()) else [])]


def data_nodes(
    config: Config,
    corpus: Corpus,
    corpus_root: RuntimeParameter | None,
    listings: Sequence[BaseNode],
) -> DataNodes:
    """From the files to pairs.

    Args:
      config: the configuration.
      corpus: what to read.
      corpus_root: the folder below which it is looked for, if that is said at submission.
      listings: those of listing_nodes, where no driver runs.
    """
    example_gen = TextExampleGen(
        patterns=corpus.patterns,
        options=config.corpus.options(config.seed),
        code_fingerprint=code_fingerprint(
            "components.text_example_gen", "components.random_walks", "trainer_module.text"
        ),
        root=corpus_root,
        span=corpus.span,
        fingerprint=listings[0].outputs["fingerprint"] if listings else None,
    )
    schema_gen = CuratedSchema(content=SCHEMA_FILE.read_text(encoding="utf-8"))
    statistics_gen = StatisticsGen(
        examples=example_gen.outputs["examples"],
        schema=schema_gen.outputs["schema"],
        # The other way to find the most frequent values counts all, whatever the schema says of
        # them: each document of the corpus would be held.
        stats_options=StatsOptions(use_sketch_based_topk_uniques=True),
    )
    example_validator = StoppingExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema_gen.outputs["schema"]
    ).with_id("ExampleValidator")
    transform = Transform(
        examples=example_gen.outputs["examples"],
        schema=schema_gen.outputs["schema"],
        preprocessing_fn="trainer_module.preprocessing.preprocessing_fn",
        # Statistics of millions of ids would cost more than the pairs themselves.
        disable_statistics=True,
        custom_config={
            "kind": config.corpus.kind,
            "preprocessing": as_dict(config.preprocessing),
            "seed": config.seed,
            "code_fingerprint": code_fingerprint("trainer_module", "components.ordered_transform"),
        },
    )
    transform.add_upstream_node(example_validator)
    return DataNodes(example_gen, schema_gen, statistics_gen, example_validator, transform)
