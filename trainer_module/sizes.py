"""The two sizes of work that what is configured must be a multiple of."""

# Targets: the least height of a frame, of which a step is so many. Of 8 to 64 the fastest for a
# window of 5.
FRAME_HEIGHT = 16
# Steps whose data come in one piece: what tf.data costs a piece is then not felt.
STEPS_PER_CHUNK = 16
