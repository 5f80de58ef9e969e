"""Write the reference page of the constitution: `python -m oversight.reviewers.principles > docs/PRINCIPLES.md`."""

import sys

from oversight.reviewers.principles import builtin
from oversight.reviewers.principles.reference import page

if __name__ == "__main__":
    sys.stdout.buffer.write(page(builtin()).encode("utf-8"))
