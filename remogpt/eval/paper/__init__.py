"""The tables of ReMoGPT and TMR from results: our number with its interval, the published one beside it.

Which result and which metric fill a cell is data, `remogpt.yaml` and `tmr.yaml` beside this file. A row names its run,
the folder of an evaluation. Rows without one stay in their table and say so. Runs that no row names (methods that were
scored by `--motions` or `--captions`) get rows of their own in the tables of their set.

Source: ReMoGPT (AAAI 2025); TMR, arXiv 2305.00976.
"""

from remogpt.eval.paper.figures import write_figures
from remogpt.eval.paper.fill import Filled, fill_tables, open_runs, run_folders
from remogpt.eval.paper.tables import PaperTable, paper_tables
from remogpt.eval.paper.write import write_tables

__all__ = [
    "Filled",
    "PaperTable",
    "fill_tables",
    "open_runs",
    "paper_tables",
    "run_folders",
    "write_figures",
    "write_tables",
]
