"""Changes: unified diffs and git revisions as frozen values, their provenance and their syntax.

Nothing is imported here, so that each caller pays for what it uses: `model` for the values, `diff` for
text, `repository` for git, `provenance` for who wrote it, `syntax` for what changed in the code.
"""
