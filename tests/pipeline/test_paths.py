import pytest

from pipeline import paths
from pipeline.failures import WrongCommandError


class TestExpanded:
    def test_the_home_folder(self, monkeypatch):
        monkeypatch.setenv("HOME", "/people/ann")
        assert paths.expanded("~") == "/people/ann"
        assert paths.expanded("~/x~/~y") == "/people/ann/x~/~y"
        assert paths.expanded("~root/x").endswith("/x")
        assert paths.expanded("~root/x").startswith("/")

    @pytest.mark.parametrize("path", ["x", "./~/x", "a/~", "/~x", ""])
    def test_any_other_path_stays(self, path):
        assert paths.expanded(path) == path

    def test_of_nobody(self):
        with pytest.raises(
            WrongCommandError, match=r"'~no-such-user' is none: .* \./~no-such-user "
        ):
            paths.expanded("~no-such-user/x")


class TestRequirePlain:
    @pytest.mark.parametrize("character", ["*", "?", "[", "\\", "\n"])
    def test_signs_of_globs_are_refused(self, character):
        for path in (f"/data/a{character}b/output", f"gs://bucket/{character}"):
            with pytest.raises(WrongCommandError, match="choose another folder") as caught:
                paths.require_plain(path)
            assert repr(path) in str(caught.value)

    def test_what_is_not_utf8_is_refused(self):
        with pytest.raises(WrongCommandError, match="is not UTF-8"):
            paths.require_plain("/data/\udcff")

    @pytest.mark.parametrize(
        "path",
        [
            "/a b",
            "/%20%s",
            "/{SPAN}{VERSION}",
            "/a]b",
            "/'\"#:,;&$!~=+@^()|<>`",
            "/é/日本",
            "/a\tb",
        ],
    )  # what runs have written to
    def test_any_other_path_is_plain(self, path):
        paths.require_plain(path)
