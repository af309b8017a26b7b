"""The works that a report cites, numbered in the order in which they are first cited."""

from __future__ import annotations

import re
from collections.abc import Mapping

WORKS: Mapping[str, str] = {
    "sobol1967": (
        "Sobol', I. M. (1967). On the distribution of points in a cube and the approximate evaluation of integrals. "
        "USSR Computational Mathematics and Mathematical Physics 7(4), 86–112. doi:10.1016/0041-5553(67)90144-9"
    ),
    "sobol2001": (
        "Sobol', I. M. (2001). Global sensitivity indices for nonlinear mathematical models and their Monte Carlo "
        "estimates. Mathematics and Computers in Simulation 55(1–3), 271–280. doi:10.1016/S0378-4754(00)00270-6"
    ),
    "owen1998": (
        "Owen, A. B. (1998). Scrambling Sobol' and Niederreiter–Xing points. Journal of Complexity 14(4), 466–489. "
        "doi:10.1006/jcom.1998.0487"
    ),
    "saltelli2002": (
        "Saltelli, A. (2002). Making best use of model evaluations to compute sensitivity indices. Computer Physics "
        "Communications 145(2), 280–297. doi:10.1016/S0010-4655(02)00280-1"
    ),
    "saltelli2010": (
        "Saltelli, A., Annoni, P., Azzini, I., Campolongo, F., Ratto, M., Tarantola, S. (2010). Variance based "
        "sensitivity analysis of model output. Design and estimator for the total sensitivity index. Computer Physics "
        "Communications 181(2), 259–270. doi:10.1016/j.cpc.2009.09.018"
    ),
    "jansen1999": (
        "Jansen, M. J. W. (1999). Analysis of variance designs for model output. Computer Physics Communications "
        "117(1–2), 35–43. doi:10.1016/S0010-4655(98)00154-4"
    ),
    "snyder2000": (
        "Snyder, W. C. (2000). Accuracy estimation for quasi-Monte Carlo simulations. Mathematics and Computers in "
        "Simulation 54(1–3), 131–143"
    ),
    "archer1997": (
        "Archer, G. E. B., Saltelli, A., Sobol', I. M. (1997). Sensitivity measures, ANOVA-like techniques and the use "
        "of bootstrap. Journal of Statistical Computation and Simulation 58(2), 99–120. doi:10.1080/00949659708811825"
    ),
    "herman2017": (
        "Herman, J., Usher, W. (2017). SALib: An open-source Python library for sensitivity analysis. Journal of Open "
        "Source Software 2(9), 97. doi:10.21105/joss.00097"
    ),
    "iwanaga2022": (
        "Iwanaga, T., Usher, W., Herman, J. (2022). Toward SALib 2.0: Advancing the accessibility and "
        "interpretability of global sensitivity analyses. Socio-Environmental Systems Modelling 4, 18155. "
        "doi:10.18174/sesmo.18155"
    ),
    "miao2025": (
        "Miao, J., Matveev, S. (2025). Application of sensitivity analysis methods for studying neural network "
        "models. arXiv:2504.15100"
    ),
    "pizarroso2022": (
        "Pizarroso, J., Portela, J., Muñoz, A. (2022). NeuralSens: Sensitivity analysis of neural networks. Journal "
        "of Statistical Software 102(7), 1–36. doi:10.18637/jss.v102.i07"
    ),
    "jolliffe2016": (
        "Jolliffe, I. T., Cadima, J. (2016). Principal component analysis: a review and recent developments. "
        "Philosophical Transactions of the Royal Society A 374, 20150202. doi:10.1098/rsta.2015.0202"
    ),
    "ansel2024": (
        "Ansel, J., et al. (2024). PyTorch 2: Faster machine learning through dynamic Python bytecode transformation "
        "and graph compilation. ASPLOS '24, vol. 2, 929–947. doi:10.1145/3620665.3640366"
    ),
}
_MARK = re.compile(r"\[([a-z]+\d{4}(?:; ?[a-z]+\d{4})*)\]")


class Bibliography:
    """Turns marks such as ``[sobol2001; jansen1999]`` into numbers, and keeps the list."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def numbered(self, text: str) -> str:
        """Return the text with ``[1, 2]`` in place of its marks; KeyError for a work that is not known."""

        def replace(found: re.Match[str]) -> str:
            keys = [key.strip() for key in found.group(1).split(";")]
            return f"[{', '.join(str(number) for number in sorted(self._number(key) for key in keys))}]"

        return _MARK.sub(replace, text)

    def entries(self) -> list[tuple[int, str]]:
        """Return number and work, for what was cited so far."""
        return [(number, WORKS[key]) for key, number in self._numbers.items()]

    def _number(self, key: str) -> int:
        if key not in WORKS:
            raise KeyError(key)
        return self._numbers.setdefault(key, len(self._numbers) + 1)
