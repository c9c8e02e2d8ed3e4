"""The card, read by Hugging Face's own reader."""

import re

from huggingface_hub import ModelCard
from huggingface_hub.repocard_data import model_index_to_eval_results

from pipeline.results.report.model_card import model_card
from tests.pipeline.results.report import made_up

FILES = ("vectors.bin", "vocabulary.tsv")


def test_hugging_face_reads_its_figures() -> None:
    card = ModelCard(model_card(made_up.result(), FILES))
    assert card.data.library_name == "skipgram-pipeline"
    assert card.data.pipeline_tag == "feature-extraction"
    assert card.data.model_name == "skipgram-20261128064419"
    found = {one.metric_type: one.metric_value for one in card.data.eval_results or ()}
    assert found["full_softmax_cross_entropy"] == 7.25
    assert found["recall_at_10"] == 0.14
    assert "pairs_per_second" not in found
    assert "tokens" not in found


def test_its_model_index_is_well_formed() -> None:
    index = ModelCard(model_card(made_up.result(), FILES)).data.to_dict()["model-index"]
    name, results = model_index_to_eval_results(index)
    assert name == "skipgram-20261128064419"
    assert {one.task_type for one in results} == {"feature-extraction"}
    assert {one.dataset_split for one in results} == {"held-out documents"}


def test_it_says_what_is_beside_it_and_how_to_read_it() -> None:
    text = model_card(made_up.result(), FILES)
    assert "`vectors.bin`, `vocabulary.tsv`" in text
    assert 'load_word2vec_format("vectors.bin", fvocab="vocab.txt", binary=True)' in text
    assert "gensim" not in model_card(made_up.result(), ["vocabulary.tsv"])


def test_it_names_no_folder_of_this_machine() -> None:
    result = made_up.result()
    result["configuration"]["corpus"]["files"] = ["/srv/secret/books.txt"]
    result["configuration"]["trainer"]["warm_start"] = "/srv/secret/old.bin"
    text = model_card(result, FILES)
    assert "secret" not in text
    assert "books.txt" in text
    assert "`warm_start=old.bin`" in text


def test_figures_that_are_no_numbers_are_left_out() -> None:
    text = model_card(made_up.result(perplexity=float("inf")), FILES)
    assert "perplexity" not in text
    assert not re.search(r"\binf\b", text)


def test_a_run_of_an_older_version_has_a_card() -> None:
    result = made_up.result()
    del result["configuration"], result["versions"]
    card = ModelCard(model_card(result, []))
    assert card.data.eval_results
    assert "docstrings of installed Python packages" in card.text or card.data.to_yaml()
