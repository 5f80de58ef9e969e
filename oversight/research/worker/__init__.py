"""Training, in processes of its own: what they see is what a method may see, and they end at their limits.

    parent   loads what all trainings share, and forks; it runs no method
    child    one training: learns, then predicts what it is shown, and is gone with all that it learned

Nothing that a training leaves in memory reaches the next one, so that no fold hears the labels of another. That a child
is gone is enough for our own methods alone: a written one can find its parent's pipes and stand in for it, so that its
parent serves one training, in a sandbox that ends with it. Rows that are predicted come after the training, in a frame
each.
"""

ONCE = "once"
"""The argument of a worker that serves one training."""
