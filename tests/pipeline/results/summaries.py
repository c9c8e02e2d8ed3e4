"""A summary made by hand."""

from pipeline.results.records import Evaluation, Summary

SUMMARY = Summary(
    run="2026-07-01T10:00:00.000",
    documents=1234567,
    tokens=9876543,
    vocabulary_size=18984,
    pairs_train=50000000,
    pairs_eval=2600000,
    objective="nce",
    seed=1001,
    train_loss=1234.56789,
    sampled_losses={"5": 1.23456, "500": 4.0},
    full_loss=8.41239,
    evaluations=(Evaluation(800, 7.61234, 8.5), Evaluation(1600, 7.5, 8.41239)),
    kept_step=1600,
    metrics={
        "full_softmax_cross_entropy": 7.25,
        "full_sigmoid_cross_entropy": 8.125,
        "raw_full_softmax_cross_entropy": 7.0,
        "raw_full_sigmoid_cross_entropy": 8.0,
        "perplexity": 0.5,
        "unigram_cross_entropy": 7.8,
    },
    blessed=True,
    replaced_characters=12,
    empty_lines=0,
    workers=2,
    pairs_per_second=400000,
    pairs_per_second_of_workers=(200001, 199999),
    resumed_at_step=0,
    seconds={"Transform": 61.25, "Trainer": 1000.5},
    cached=("Transform",),
    all_cached=False,
    peak_memory_megabytes={"Transform": 800, "Trainer": 1200},
)
