from __future__ import annotations

import gzip
import hashlib

import pytest

from notebook_mux.widgets import bundle

REAL_TEXT = bundle.text
REAL_PACKED = bundle.packed


def test_one_hidden_model_a_kind():
    first = bundle.ensure("table")
    again = bundle.ensure("table")
    other = bundle.ensure("status")
    assert first == again != other
    assert len(bundle.kept("models")) == 2
    model = bundle.kept("models")[first]
    assert (model.hash, model.code) == (first, b"packed")


def test_a_model_that_was_closed_is_made_again():
    hash_ = bundle.ensure("table")
    before = bundle.kept("models")[hash_]
    before.close()
    assert bundle.ensure("table") == hash_
    assert bundle.kept("models")[hash_] is not before


def test_the_hash_is_of_the_code(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "STATIC", tmp_path)
    monkeypatch.setattr(bundle, "text", REAL_TEXT)
    (tmp_path / "some.js").write_text("export default 1")
    code, hash_ = REAL_PACKED("some")
    assert gzip.decompress(code) == b"export default 1"
    assert hashlib.sha256(b"export default 1").hexdigest().startswith(hash_)


def test_what_was_not_built_says_how_to_build_it(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "STATIC", tmp_path)
    with pytest.raises(bundle.Missing, match="npm ci && npm run build"):
        REAL_TEXT("never.js")
