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
    "fong2017": (
        "Fong, R. C., Vedaldi, A. (2017). Interpretable explanations of black boxes by meaningful perturbation. IEEE "
        "International Conference on Computer Vision (ICCV), 3449–3457. doi:10.1109/ICCV.2017.371"
    ),
    "thibeausutre2020": (
        "Thibeau-Sutre, E., Colliot, O., Dormont, D., Burgos, N. (2020). Visualization approach to assess the "
        "robustness of neural networks for medical image classification. Poster, ICM days 2019, January 2020, Louan, "
        "France. HAL hal-03365775; at length in arXiv:1911.08264"
    ),
    "kingma2015": (
        "Kingma, D. P., Ba, J. (2015). Adam: A method for stochastic optimization. International Conference on "
        "Learning Representations (ICLR). arXiv:1412.6980"
    ),
    "selvaraju2017": (
        "Selvaraju, R. R., Cogswell, M., Das, A., Vedantam, R., Parikh, D., Batra, D. (2017). Grad-CAM: Visual "
        "explanations from deep networks via gradient-based localization. IEEE International Conference on Computer "
        "Vision (ICCV), 618–626. doi:10.1109/ICCV.2017.74"
    ),
    "chattopadhay2018": (
        "Chattopadhay, A., Sarkar, A., Howlader, P., Balasubramanian, V. N. (2018). Grad-CAM++: Generalized "
        "gradient-based visual explanations for deep convolutional networks. IEEE Winter Conference on Applications of "
        "Computer Vision (WACV), 839–847. doi:10.1109/WACV.2018.00097"
    ),
    "sundararajan2017": (
        "Sundararajan, M., Taly, A., Yan, Q. (2017). Axiomatic attribution for deep networks. International Conference "
        "on Machine Learning (ICML), PMLR 70, 3319–3328. arXiv:1703.01365"
    ),
    "smilkov2017": (
        "Smilkov, D., Thorat, N., Kim, B., Viégas, F., Wattenberg, M. (2017). SmoothGrad: removing noise by adding "
        "noise. arXiv:1706.03825"
    ),
    "simonyan2014": (
        "Simonyan, K., Vedaldi, A., Zisserman, A. (2014). Deep inside convolutional networks: Visualising image "
        "classification models and saliency maps. ICLR workshop. arXiv:1312.6034"
    ),
    "zeiler2014": (
        "Zeiler, M. D., Fergus, R. (2014). Visualizing and understanding convolutional networks. European Conference "
        "on Computer Vision (ECCV), 818–833. doi:10.1007/978-3-319-10590-1_53"
    ),
    "adebayo2018": (
        "Adebayo, J., Gilmer, J., Muelly, M., Goodfellow, I., Hardt, M., Kim, B. (2018). Sanity checks for saliency "
        "maps. Advances in Neural Information Processing Systems 31. arXiv:1810.03292"
    ),
    "abraham2014": (
        "Abraham, A., et al. (2014). Machine learning for neuroimaging with scikit-learn. Frontiers in "
        "Neuroinformatics 8, 14. doi:10.3389/fninf.2014.00014"
    ),
    "fonov2011": (
        "Fonov, V., Evans, A. C., Botteron, K., Almli, C. R., McKinstry, R. C., Collins, D. L. (2011). Unbiased "
        "average age-appropriate atlases for pediatric studies. NeuroImage 54(1), 313–327. "
        "doi:10.1016/j.neuroimage.2010.07.033"
    ),
    "wilson1927": (
        "Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the "
        "American Statistical Association 22(158), 209–212"
    ),
    "alpaydin1998": (
        "Alpaydin, E., Kaynak, C. (1998). Optical recognition of handwritten digits. UCI Machine Learning Repository. "
        "doi:10.24432/C50P49"
    ),
    "lecun1998": (
        "LeCun, Y., Bottou, L., Bengio, Y., Haffner, P. (1998). Gradient-based learning applied to document "
        "recognition. Proceedings of the IEEE 86(11), 2278–2324. doi:10.1109/5.726791"
    ),
    "shrestha2021": (
        "Shrestha, R., Kafle, K., Kanan, C. (2022). An investigation of critical issues in bias mitigation techniques. "
        "IEEE/CVF Winter Conference on Applications of Computer Vision (WACV). arXiv:2104.00170"
    ),
    "petsiuk2018": (
        "Petsiuk, V., Das, A., Saenko, K. (2018). RISE: Randomized input sampling for explanation of black-box models. "
        "British Machine Vision Conference (BMVC). arXiv:1806.07421"
    ),
    "yosinski2015": (
        "Yosinski, J., Clune, J., Nguyen, A., Fuchs, T., Lipson, H. (2015). Understanding neural networks through deep "
        "visualization. ICML Deep Learning Workshop. arXiv:1506.06579"
    ),
    "mahendran2016": (
        "Mahendran, A., Vedaldi, A. (2016). Visualizing deep convolutional neural networks using natural pre-images. "
        "International Journal of Computer Vision 120, 233–255. doi:10.1007/s11263-016-0911-8"
    ),
    "morris1991": (
        "Morris, M. D. (1991). Factorial sampling plans for preliminary computational experiments. Technometrics "
        "33(2), 161–174. doi:10.1080/00401706.1991.10484804"
    ),
    "campolongo2007": (
        "Campolongo, F., Cariboni, J., Saltelli, A. (2007). An effective screening design for sensitivity analysis of "
        "large models. Environmental Modelling and Software 22(10), 1509–1518. doi:10.1016/j.envsoft.2006.10.004"
    ),
    "campolongo2011": (
        "Campolongo, F., Saltelli, A., Cariboni, J. (2011). From screening to quantitative sensitivity analysis: A "
        "unified approach. Computer Physics Communications 182(4), 978–988. doi:10.1016/j.cpc.2010.12.039"
    ),
    "mosip2022": (
        "Beyond pixels: A sample based method for understanding the decisions of neural networks (MoSIP). Submitted to "
        "the International Conference on Learning Representations, 2022; authors not named in the submission"
    ),
    "achanta2012": (
        "Achanta, R., Shaji, A., Smith, K., Lucchi, A., Fua, P., Süsstrunk, S. (2012). SLIC superpixels compared to "
        "state-of-the-art superpixel methods. IEEE Transactions on Pattern Analysis and Machine Intelligence 34(11), "
        "2274–2282. doi:10.1109/TPAMI.2012.120"
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
