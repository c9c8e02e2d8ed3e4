import doctest

import pytest

from pipeline.cluster import cloud_storage
from trainer_module.errors import InputError


def test_the_examples_hold() -> None:
    assert doctest.testmod(cloud_storage).failed == 0


@pytest.mark.parametrize(
    "place",
    [
        "gs://bucket",
        "gs://abc/",
        "gs://my-bucket_1/a/b",
        "gs://0.data.example.com/x",
        f"gs://{'b' * 63}/x",
        f"gs://{'b' * 63}.{'c' * 63}/x",
    ],
)
def test_a_bucket_that_may_be(place: str) -> None:
    cloud_storage.require_gs(place, "the output")


@pytest.mark.parametrize(
    ("place", "complaint"),
    [
        ("gs:/bucket/x", "is no URI: write gs://BUCKET/FOLDER"),
        ("GS://bucket/x", "is no URI: .*in small letters"),
        ("s3://bucket/x", "is in s3://, which"),
        ("minio://bucket/x", "is in minio://, which"),
        ("hdfs://host/x", "is in hdfs://, which"),
        ("/data/x", "is a path"),
        ("bucket/x", "is a path"),
        ("", "is a path"),
        ("gs://", "it has no name"),
        ("gs:///x", "it has no name"),
        ("gs://Bucket/x", "small letters"),
        ("gs://my bucket/x", "small letters"),
        ("gs://-bucket/x", "begins and ends with"),
        ("gs://bucket*/x", "small letters"),
        ("gs://ab/x", "3 to 63"),
        (f"gs://{'b' * 64}/x", "3 to 63"),
        (f"gs://a.{'b' * 64}/x", "3 to 63"),
        ("gs://my..bucket/x", "two dots"),
        ("gs://192.168.5.4/x", "IP address"),
        ("gs://goog-data/x", "Google keeps"),
        ("gs://my-google-data/x", "Google keeps"),
    ],
)
def test_what_cannot_be_is_refused(place: str, complaint: str) -> None:
    with pytest.raises(InputError, match=f"^the output = .*{complaint}"):
        cloud_storage.require_gs(place, "the output")


def test_parameters_that_are_no_places_pass() -> None:
    destination = '{"filesystem": {"baseDirectory": "gs://bucket/serving"}}'
    given = {"epochs": "5", "corpus": "gs://bucket/x", "push_destination": destination}
    cloud_storage.require_parameters(given)
    destination = '{"filesystem": {"base_directory": "gs://bucket/serving"}}'
    cloud_storage.require_parameters({"push_destination": destination})
    cloud_storage.require_parameters({"push_destination": "gs://bucket/serving"})


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("corpus", "/data/books", "^the parameter corpus = '/data/books' is a path"),
        ("output", "s3://bucket", "^the parameter output = "),
        ("push_destination", "/serving", "^the parameter push_destination = '/serving' is a path"),
        ("push_destination", '{"filesystem": {}}', "names no folder"),
        ("push_destination", '{"filesystem": []}', "names no folder: write gs://"),
        ("push_destination", "{", "names no folder"),
        (
            "push_destination",
            '{"filesystem": {"baseDirectory": "/serving"}}',
            "^the parameter push_destination = '/serving' is a path",
        ),
    ],
)
def test_parameters_that_are_places_are_checked(name: str, value: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        cloud_storage.require_parameters({name: value})
