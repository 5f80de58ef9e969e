"""Training, in processes of its own: what they see is what a method may see, and they end at their limits.

    parent   loads what all trainings share, and forks; it runs no method
    child    one training: learns, then predicts what it is shown, and is gone with all that it learned

Nothing that a training leaves in memory reaches the next one, so that no fold hears the labels of another. Rows that
are predicted come after the training, in a frame each.
"""
