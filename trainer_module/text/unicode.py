"""Unicode's lower case and normalization forms, in TensorFlow ops.

Core ops alone, so that a model loads in TensorFlow Serving and wherever else nothing of ours is
installed; that leaves out tensorflow_text. tf.strings.lower(encoding="utf-8") would do for lower
case, but it goes by the locale of the process, and ends at a NUL.

Documents stand one after another as code points, each with a blank at its end. So no document's
marks touch the next one, and all ops are on flat tensors.
"""

from typing import NamedTuple

import tensorflow as tf

from trainer_module.hyperparameters import Normalization
from trainer_module.text import unicode_tables
from trainer_module.text.unicode_tables import Compositions, Mapping, Property

_SIGMA, _SMALL_SIGMA, _FINAL_SIGMA = 0x3A3, 0x3C3, 0x3C2
_BLOCK_BITS = unicode_tables.BLOCK.bit_length() - 1


class Characters(NamedTuple):
    """Documents as code points."""

    points: tf.Tensor  # [characters] int32
    rows: tf.Tensor  # [characters] int32, each one's document, rising

    def where(self, kept: tf.Tensor) -> "Characters":
        """Those that a `[characters]` bool tensor names: most often all."""
        some = lambda: Characters(*all_where(kept, *self))  # noqa: E731
        return Characters(*tf.cond(tf.reduce_all(kept), lambda: self, some))


def all_where(kept: tf.Tensor, *tensors: tf.Tensor) -> list[tf.Tensor]:
    """Of each tensor the elements that a bool tensor names.

    As tf.boolean_mask, which finds their places for each tensor anew, and is long to trace.
    """
    places = tf.where(kept)[:, 0]
    return [tf.gather(tensor, places) for tensor in tensors]


def decode(text: tf.Tensor) -> Characters:
    """Documents to code points, a blank after each.

    Args:
      text: `[batch]` UTF-8 strings. Bytes that are not UTF-8 become U+FFFD.
    """
    decoded = tf.strings.unicode_decode(tf.strings.join([text, " "]), "UTF-8")
    return Characters(decoded.flat_values, tf.cast(decoded.value_rowids(), tf.int32))


def encode(characters: Characters, num_documents: tf.Tensor) -> tf.Tensor:
    """Code points back to documents, `[batch]` UTF-8 strings."""
    rows = tf.RaggedTensor.from_value_rowids(
        characters.points, characters.rows, nrows=num_documents, validate=False
    )
    return tf.strings.unicode_encode(rows, "UTF-8")


def normalized(
    characters: Characters, normalization: Normalization, *, fold: bool = False
) -> Characters:
    """Brings documents to a normalization form, and to the form of words.

    Most documents are in it already, but for their case. The others are decomposed, their marks
    put in order, and composed again.

    Args:
      characters: the documents.
      normalization: `nfc`, `nfkc` or `none`.
      fold: as in unicode_tables.mapping; and a sigma that ends a word becomes a final one.

    Returns:
      The documents in their order.
    """
    mapping = unicode_tables.mapping(normalization, fold=fold)
    mapped = characters._replace(points=characters.points + lookup(mapping.step, characters.points))
    wanting = mapped.points < 0
    if normalization != "none":
        wanting |= _is_out_of_form(tf.maximum(mapped.points, 0))

    def slowly() -> Characters:
        slow = _in_document_with(wanting, characters.rows)
        expanded = _expanded(characters.where(slow), mapping)
        if normalization != "none":
            expanded = _composed(_ordered(expanded))
        return _merged(mapped.where(~slow), expanded)

    found = Characters(*tf.cond(tf.reduce_any(wanting), slowly, lambda: mapped))
    return found._replace(points=_with_small_sigmas(found.points)) if fold else found


def lookup(values: Property, points: tf.Tensor) -> tf.Tensor:
    """The value of each code point, int32."""
    block = tf.gather(values.block_of, tf.bitwise.right_shift(points, _BLOCK_BITS))
    inside = points & (unicode_tables.BLOCK - 1)
    return tf.gather(values.values, tf.bitwise.left_shift(block, _BLOCK_BITS) + inside)


def before(values: tf.Tensor, first: tf.Tensor | int | bool) -> tf.Tensor:
    """Of each element the one before it, `first` for the first."""
    return tf.concat([tf.cast([first], values.dtype), values[:-1]], 0)


def _is_out_of_form(points: tf.Tensor) -> tf.Tensor:
    """Which marks are out of order, or compose with what is before them: at least all of these."""
    classes, last_classes, seconds = _marks(points)
    # A mark may also be out of order with one that is part of the letter before it.
    disordered = (classes > 0) & (before(last_classes, 0) > classes)
    doubtful = tf.cast(tf.where(seconds)[:, 0], tf.int32)
    composes = _composites(tf.gather(before(points, 0), doubtful), tf.gather(points, doubtful)) > 0
    # After another mark it may compose with what is before both.
    composes |= tf.gather(before(classes, 0), doubtful) > 0
    [composing] = all_where(composes, doubtful)
    return disordered | _scattered(composing, tf.size(points))


def _marks(points: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Combining classes, last classes, and which may compose with what is before them."""
    facts = lookup(unicode_tables.marks(), points)
    return facts & 255, tf.bitwise.right_shift(facts, 8) & 255, facts >= 1 << 16


def _in_document_with(wanting: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Which characters are in a document that holds a wanting one."""
    [named] = all_where(wanting, rows)
    return tf.gather(_scattered(named, tf.reduce_max(tf.concat([rows, [0]], 0)) + 1), rows)


def _scattered(indices: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """`[size]` bool, true at the indices."""
    none = tf.zeros([size], tf.bool)
    return tf.tensor_scatter_nd_update(none, indices[:, tf.newaxis], tf.ones_like(indices, tf.bool))


def _expanded(characters: Characters, mapping: Mapping) -> Characters:
    """Each code point to all that it becomes."""
    spans = lookup(mapping.span, characters.points)
    itself = spans < 0
    lengths = tf.where(itself, 1, spans % 32)
    source = tf.repeat(tf.range(tf.size(spans)), lengths)
    inside = tf.range(tf.size(source)) - tf.gather(tf.cumsum(lengths, exclusive=True), source)
    starts = tf.where(itself, 0, spans // 32)
    points = tf.where(
        tf.gather(itself, source),
        tf.gather(characters.points, source),
        tf.gather(mapping.pool, tf.gather(starts, source) + inside),
    )
    return Characters(points, tf.gather(characters.rows, source))


def _ordered(characters: Characters) -> Characters:
    """Marks between two starters by rising combining class, equal ones as they were."""
    classes, _, _ = _marks(characters.points)
    starters = tf.cumsum(tf.cast(classes == 0, tf.int64))
    order = tf.argsort(starters * 256 + tf.cast(classes, tf.int64), stable=True)
    return characters._replace(points=tf.gather(characters.points, order))


def _composed(characters: Characters) -> Characters:
    """Canonical composition. Each round composes one mark of each starter, so rounds are few."""

    def compose(more: tf.Tensor, points: tf.Tensor, rows: tf.Tensor) -> list[tf.Tensor]:
        del more
        starters, marks, composites = _composable(points)
        points = tf.tensor_scatter_nd_update(points, starters[:, tf.newaxis], composites)
        kept = ~_scattered(marks, tf.size(points))
        return [tf.size(marks) > 0, *Characters(points, rows).where(kept)]

    some = tf.TensorShape([None])
    _, points, rows = tf.while_loop(
        lambda more, points, rows: more,
        compose,
        [tf.constant(True), *characters],
        shape_invariants=[tf.TensorShape([]), some, some],
    )
    return Characters(points, rows)


def _composable(points: tf.Tensor) -> list[tf.Tensor]:
    """The first mark of each starter that composes with it.

    Args:
      points: `[characters]`, with marks in order.

    Returns:
      Indices of starters and of marks, and the composites, `[pairs]` each.
    """
    classes, _, seconds = _marks(points)
    previous = before(classes, 0)
    num_starters = tf.cumsum(tf.cast(classes == 0, tf.int32), exclusive=True)
    # A mark is blocked by one of its own class, and a starter by any mark between the two.
    open_ = (num_starters > 0) & ((previous == 0) | (previous < classes))
    marks = tf.where(open_ & seconds)[:, 0]
    starters = tf.gather(tf.where(classes == 0)[:, 0], tf.gather(num_starters, marks) - 1)
    composites = _composites(tf.gather(points, starters), tf.gather(points, marks))
    starters, marks, composites = all_where(composites > 0, starters, marks, composites)
    first = starters != before(starters, -1)
    starters, marks, composites = all_where(first, starters, marks, composites)
    # What is itself about to be composed waits for the next round.
    return all_where(before(marks, -1) != starters, starters, marks, composites)


def _composites(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """What pairs of code points compose to, -1 if they do not."""
    known: Compositions = unicode_tables.compositions()
    first, second = tf.cast(first, tf.int64), tf.cast(second, tf.int64)
    asked = tf.bitwise.left_shift(first, unicode_tables.PAIR_SHIFT) + second
    place = tf.minimum(tf.searchsorted(known.pairs, asked), len(known.pairs) - 1)
    return tf.where(tf.gather(known.pairs, place) == asked, tf.gather(known.composed, place), -1)


def _merged(some: Characters, others: Characters) -> Characters:
    """Two sets of documents in one, by rows."""
    places = [_places(some.rows, others.rows), _places(others.rows, some.rows)]
    return Characters(
        *(tf.dynamic_stitch(places, list(pair)) for pair in zip(some, others, strict=True))
    )


def _places(rows: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Where characters come to stand when those of other documents are put between them."""
    num_rows = tf.reduce_max(tf.concat([rows, others, [-1]], 0)) + 1
    counts = tf.math.bincount(others, minlength=num_rows)
    return tf.range(tf.size(rows)) + tf.gather(tf.cumsum(counts, exclusive=True), rows)


def _with_small_sigmas(points: tf.Tensor) -> tf.Tensor:
    """Each capital sigma in lower case."""
    any_is = tf.reduce_any(points == _SIGMA)
    return tf.cond(any_is, lambda: _with_small_sigmas_by_place(points), lambda: points)


def _with_small_sigmas_by_place(points: tf.Tensor) -> tf.Tensor:
    """The final one after a cased letter and before none."""
    contexts = lookup(unicode_tables.sigma_contexts(), points)
    is_sigma = points == _SIGMA
    # Without the marks that stand between letters, neighbours are neighbours.
    seen = tf.where(is_sigma | (contexts < 2))[:, 0]
    cased = tf.gather(is_sigma | (contexts == 1), seen)
    is_final = before(cased, False) & ~tf.concat([cased[1:], [False]], 0)
    [final] = all_where(is_final & tf.gather(is_sigma, seen), seen)
    is_final = _scattered(final, tf.size(points))
    return tf.where(is_sigma, tf.where(is_final, _FINAL_SIGMA, _SMALL_SIGMA), points)
