r"""The filter of tables and rows: one line, read the same in Python and in the page.

Words stand between blanks, and all of them must hold:

==========================================  ========================================================================
``web`` · ``"two words"`` · ``/web-\d+/``      a cell has this in it, whatever the case of letters
``!web`` · ``!"two words"`` · ``!/web/``      no cell has it
``status=Running`` · ``app=api,w*``           a column by its title (case, blanks, ``-`` and ``_`` do not count), else
                                              a label; ``*`` is anything, ``a,b`` either
``status!=Running``                           not so
``node~^gpu-`` · ``node!~gpu``                a regular expression finds something there, or nothing
``cpu>200m`` · ``age<=5m`` · ``ready<1/1``    a column, by what it means: quantities, ages, ratios, percents, versions
``-n prod,dev`` · ``--cluster kind-*``        namespaces, clusters
``-l app=web,tier in (a, b),!old``            kubectl's label selector
``--faults``                                  rows that show a fault
==========================================  ========================================================================

Nothing here waits or asks anybody.
"""

from notebook_mux.filtering.completing import Candidate, Completion, Known, complete
from notebook_mux.filtering.judging import Column, Facts, Filter, Judge, text_of
from notebook_mux.filtering.reading import parse
from notebook_mux.filtering.refusing import checked, refusal
from notebook_mux.filtering.terms import Mistake, Parsed

__all__ = [
    "Candidate",
    "Column",
    "Completion",
    "Facts",
    "Filter",
    "Judge",
    "Known",
    "Mistake",
    "Parsed",
    "checked",
    "complete",
    "parse",
    "refusal",
    "text_of",
]
