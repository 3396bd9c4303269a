# What confseq, ssrm-test and gbstats say of the cases on standard input; the answers are JSON on standard output.
import json
import sys

import numpy as np
from confseq.boundaries import bernoulli_confidence_interval
from gbstats.frequentist.tests import FrequentistConfig, SequentialConfig, SequentialTwoSidedTTest, TwoSidedTTest
from gbstats.models.statistics import (
    ProportionStatistic,
    RegressionAdjustedStatistic,
    SampleMeanStatistic,
    compute_theta,
)
from scipy.stats import beta, norm, t
from ssrm_test.ssrm_test import sequential_bayes_factors, sequential_p_values


def rate(case):
    return list(bernoulli_confidence_interval(case["good"], case["answers"], case["alpha"], case["tightestAt"], 0.05))


def sample_ratio(case):
    data, shares = np.array(case["data"]), np.array(case["shares"])
    factors = sequential_bayes_factors(data, shares, dirichlet_concentration=case["concentration"])
    p = sequential_p_values(data, shares, dirichlet_concentration=case["concentration"])
    return {"logE": float(np.log(factors[-1])), "p": float(p[-1])}


def statistic(arm):
    if arm["kind"] == "RATE":
        return ProportionStatistic(n=arm["n"], sum=arm["sum"])
    return SampleMeanStatistic(n=arm["n"], sum=arm["sum"], sum_squares=arm["sumSquares"])


def difference(case):
    a, b = statistic(case["control"]), statistic(case["arm"])
    kind = "relative" if case["kind"] == "RELATIVE" else "absolute"
    fixed = TwoSidedTTest(a, b, FrequentistConfig(difference_type=kind, alpha=case["alpha"])).compute_result()
    config = SequentialConfig(
        difference_type=kind, alpha=case["alpha"], sequential_tuning_parameter=case["tightestAt"]
    )
    always = SequentialTwoSidedTTest(a, b, config).compute_result()
    told = lambda result: {"value": result.expected, "low": result.ci[0], "high": result.ci[1], "p": result.p_value}
    return {"fixed": told(fixed), "sequential": told(always)}


def adjusted(arm, theta):
    return RegressionAdjustedStatistic(
        n=arm["n"],
        post_statistic=SampleMeanStatistic(n=arm["n"], sum=arm["sum"], sum_squares=arm["sumSquares"]),
        pre_statistic=SampleMeanStatistic(n=arm["n"], sum=arm["covariateSum"], sum_squares=arm["covariateSumSquares"]),
        post_pre_sum_of_products=arm["sumProducts"],
        theta=theta,
    )


def cuped(case):
    theta = compute_theta(adjusted(case["control"], 0), adjusted(case["arm"], 0))
    a, b = adjusted(case["control"], theta), adjusted(case["arm"], theta)
    result = TwoSidedTTest(a, b, FrequentistConfig(difference_type="absolute", alpha=case["alpha"])).compute_result()
    return {"theta": theta, "value": result.expected, "low": result.ci[0], "high": result.ci[1], "p": result.p_value}


def distribution(case):
    return {
        "normal": norm.cdf(case["z"]),
        "normalQuantile": norm.ppf(case["p"]),
        "student": t.cdf(case["z"], case["freedom"]),
        "studentQuantile": t.ppf(case["p"], case["freedom"]),
        "beta": beta.cdf(case["p"], case["freedom"], 2.5),
    }


answer = {"rates": rate, "sampleRatios": sample_ratio, "differences": difference, "cuped": cuped, "distributions": distribution}
print(json.dumps({name: [answer[name](case) for case in cases] for name, cases in json.load(sys.stdin).items()}))
