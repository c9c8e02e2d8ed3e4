"""The section `corpus` of the configuration: from files to documents."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.text_example_gen import files
from components.text_example_gen.account import Options
from trainer_module.hyperparameters import StrictModel

Kind = Literal["text", "sessions", "edges", "pairs"]


class WalksConfig(StrictModel):
    """Random walks over the edges of a graph, by node2vec's names, and defaults but for num_walks.

    Grover and Leskovec, "node2vec: scalable feature learning for networks", 2016.
    """

    num_walks: int = Field(
        default=20,
        ge=0,
        le=1000,
        description="from each node; 0: the edges are the documents. With node2vec's 10 vectors "
        "tell classes apart less well (docs/graphs.md)",
    )
    walk_length: int = Field(default=80, ge=2, le=1000, description="nodes of a walk at most")
    p: float = Field(
        default=1.0,
        gt=0,
        le=1e6,
        description="return parameter: the higher, the rarer a walk goes back where it came from",
    )
    q: float = Field(
        default=1.0,
        gt=0,
        le=1e6,
        description="in-out parameter: above 1 walks stay near, below 1 they go away",
    )


class CorpusConfig(StrictModel):
    """From files to documents."""

    files: tuple[str, ...] = Field(
        default=(),
        strict=False,  # YAML has lists, no tuples
        description=f"files, folders and globs of {files.DESCRIPTION}; with "
        "{YYYY}, {MM} and {DD} in a name, those of each of days; none: the quick-start corpus",
    )
    days: int = Field(
        default=1,
        ge=1,
        le=36_525,
        description="how many days names with dates stand for, the last one that of --date; one, "
        "as a night brings one",
    )
    max_missing_days: int = Field(
        default=0,
        ge=0,
        description="days that may have no file; with more the run ends before it begins. None "
        "may, as a feed that broke must be seen",
    )
    kind: Kind = Field(
        default="text",
        description="what the corpus is, which sets defaults of other sections that were measured "
        "for it: see `skipgram config --kind`. text; sessions: items in their order, the last one "
        "of some sessions held out; edges: of a graph, some held out; pairs: of a target and a "
        "context, whose tokens may differ, as users and items do",
    )
    columns: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(),
        strict=False,
        max_length=3,
        description="of .csv, .tsv, .parquet and .jsonl, by their names: the one of the document; "
        "for edges and pairs those of target, context and maybe weight (how often). None: `text`; "
        "`target`, `context`, `weight`, and .csv and .tsv of edges and pairs without a header",
    )
    directed: bool = Field(
        default=False,
        description="whether an edge goes from its first node to its second alone",
    )
    walks: WalksConfig = WalksConfig()
    max_document_bytes: int = Field(
        default=16_384,
        ge=1024,
        le=1 << 20,
        description="bytes; a longer line is cut between tokens, so that a batch of documents "
        "fits in memory (some 2,800 words; a cut loses the few pairs across it)",
    )
    eval_fraction: float = Field(
        default=0.05,
        ge=0.001,
        le=0.5,
        description="share held out for evaluation, chosen by hash: of documents; of sessions, "
        "their last items; of edges; of pairs",
    )

    def options(self, seed: int) -> Options:
        """How files are read; where there are no walks, nothing of them changes the cache's key."""
        has_walks = self.kind == "edges" and self.walks.num_walks > 0
        return Options(
            max_document_bytes=self.max_document_bytes,
            eval_fraction=self.eval_fraction,
            kind=self.kind,
            columns=self.columns,
            directed=self.directed,
            **(self.walks.model_dump() | {"seed": seed} if has_walks else {}),
        )

    @model_validator(mode="after")
    def _columns_are_those_of_the_kind(self) -> Self:
        number = len(self.columns)
        if self.kind in ("edges", "pairs"):
            fits, wanted = number in (0, 2, 3), "those of target, context and maybe weight"
        else:
            fits, wanted = number <= 1, "the one that holds the document"
        if not fits or len(set(self.columns)) < number:
            raise ValueError(
                f"columns = {list(self.columns)} does not fit kind = {self.kind}: name {wanted}"
            )
        return self

    @model_validator(mode="after")
    def _dates_fit_together(self) -> Self:
        problems = [
            f"files has {name!r}, which lacks {', '.join(lacking)}: name a day by all of "
            f"{', '.join(files.DATE_FIELDS)}"
            for name in filter(files.is_dated, self.files)
            if (lacking := [field for field in files.DATE_FIELDS if field not in name])
        ]
        if self.max_missing_days >= self.days:
            problems.append(
                f"max_missing_days = {self.max_missing_days} would let all of days = {self.days} "
                "be missing: allow fewer"
            )
        if self.days > 1 and not any(map(files.is_dated, self.files)):
            problems.append(
                f"days = {self.days} is for names with dates, and files has none: write "
                f"{', '.join(files.DATE_FIELDS)} into them, or leave days out"
            )
        if problems:
            raise ValueError("; ".join(problems))
        return self
