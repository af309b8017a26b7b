"""Feature subsets: rankings, trainings, resume and extension, regression, the real data, and what does not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from sensiview.analysis.items import IndexTable, Item
from sensiview.analysis.progress import Checkpoint, Silent
from sensiview.analysis.result import Result
from sensiview.analysis.study import Finished, Study
from sensiview.datasets.table import Table, table_from_frame
from sensiview.errors import ModelError, Stopped, UserError
from sensiview.methods.feature_subset import FeatureSubset, FeatureSubsetParameters
from sensiview.models.architectures import Architecture, architectures
from sensiview.models.card import ModelCard
from sensiview.models.network import Network, network_from_module
from sensiview.models.opening import inspect_model, open_network
from sensiview.models.recipe import TrainingRecipe
from sensiview.models.training import train_new
from sensiview.numerics.subset_reading import in_words
from sensiview.numerics.subset_recipe import changed, row_counts
from sensiview.numerics.subset_training import total_indices

ANALYSIS = FeatureSubset()
ORDER = ["strong", "weak", "none", "nothing"]


def frame(count: int = 150, *, regression: bool = False) -> pd.DataFrame:
    values = np.random.default_rng(5).normal(size=(count, 4))
    made = pd.DataFrame(values, columns=ORDER)
    signal = 2 * made["strong"] + made["weak"]
    made["y"] = 100 * signal + 7 if regression else np.where(signal > 0, "yes", "no")
    return made


def study_of(table: Table, options: dict[str, Any] | None = None, **more: Any) -> Study:
    options = {"hidden": [4], "activation": "tanh"} if options is None else options
    mlp = architectures()["mlp"]
    n_classes = len(table.card.class_counts)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        module = mlp.build(mlp.parse(options), (len(table.card.features),), mlp.n_outputs(n_classes))
    made = network_from_module(
        module,
        sample=np.nan_to_num(table.features()[:2]),
        name="net",
        class_names=tuple(table.card.class_counts),
        device="cpu",
    )
    card = made.card.model_copy(update={"architecture": "mlp", "options": options})
    return Study(
        table.card, card, "cpu", table_loader=lambda: table, network_loader=lambda: Network(module, card), **more
    )


def classes() -> Study:
    return study_of(table_from_frame(frame(), name="t", target="y"))


QUICK: dict[str, Any] = {"k": 2, "repeats": 2, "epochs": 40, "learning_rate": 0.01}


def run(study: Study, progress: Silent | None = None, **parameters: Any) -> Result:
    chosen = FeatureSubsetParameters.parse({**QUICK, **parameters})
    assert ANALYSIS.obstacles(study) == []
    assert ANALYSIS.problems(study, chosen) == []
    result = ANALYSIS.run(study, chosen, progress or Silent())
    for item in result.values():
        assert isinstance(item, Item)
    return result


def table_of(result: Result, name: str) -> pd.DataFrame:
    item = result[name]
    assert isinstance(item, IndexTable)
    return item.to_frame()


def test_that_columns_which_decide_the_class_do_as_well_alone_and_the_others_do_not() -> None:
    result = run(classes(), order=ORDER)
    accuracy = table_of(result, "accuracy")
    assert list(accuracy.columns) == ["subset", "seed", "train", "test"]
    assert len(accuracy) == 6
    summary = table_of(result, "summary").set_index("subset")
    assert summary.loc["most important", "factors"] == "strong, weak"
    assert summary.loc["least important", "factors"] == "none, nothing"
    assert summary.loc["most important", "test_mean"] > 0.85
    assert summary.loc["least important", "test_mean"] < 0.7
    by_hand = accuracy[accuracy["subset"] == "all"]["test"]
    assert summary.loc["all", "test_mean"] == pytest.approx(by_hand.mean())
    assert summary.loc["all", "test_std"] == pytest.approx(by_hand.std())
    assert "percentage points against all" in result["notes"].text  # type: ignore[attr-defined]
    assert "ranking" not in result


def test_that_the_scores_are_those_of_a_training_by_hand() -> None:
    study = classes()
    accuracy = table_of(run(study, order=ORDER), "accuracy")
    mlp, table = architectures()["mlp"], study.table()
    recipe = mlp.recipe().model_copy(update={"epochs": 40, "learning_rate": 0.01})
    _, outcome = train_new(
        mlp,
        study.model.options if study.model else {},
        recipe,
        table.features()[:, :2],
        table.labels(),
        n_classes=2,
        seed=2,
    )
    row = accuracy[(accuracy["subset"] == "most important") & (accuracy["seed"] == 2)].iloc[0]
    assert (row["train"], row["test"]) == (outcome.accuracy["train"], outcome.accuracy["test"])


def test_that_a_finished_run_of_sobol_indices_ranks() -> None:
    def finished() -> Result:
        table = pd.DataFrame(
            {
                "output": ["yes"] * 4 + ["linear1[0]"] * 4,
                "factor": ORDER * 2,
                "S1": 0.1,
                # What a hidden unit sees must not rank.
                "ST": [0.1, 0.2, 0.7, 0.3, 1.0, 0.9, 0.0, 0.0],
            }
        )
        item = IndexTable(title="t", frame=table, keys=("output", "factor"), values=("S1", "ST"))
        return Result({"first_total": item})

    study = replace(classes(), runs={"sobol-0001": Finished("sobol-0001", finished)})
    result = run(study, runs="sobol-0001")
    assert list(table_of(result, "ranking")["factor"]) == ["none", "nothing", "weak", "strong"]
    assert table_of(result, "summary").loc[1, "factors"] == "none, nothing"
    wrong = FeatureSubsetParameters.parse({**QUICK, "runs": ["sobol-2"]})
    assert "Did you mean 'sobol-0001'" in " ".join(ANALYSIS.problems(study, wrong))


@pytest.mark.parametrize("factors", [["strong", "weak"], ["group", "none", "nothing", "x"]])
def test_that_a_run_with_other_factors_is_refused(factors: list[str]) -> None:
    table = pd.DataFrame({"output": "yes", "factor": factors, "ST": 0.5})
    item = IndexTable(title="t", frame=table, keys=("output", "factor"), values=("ST",))
    study = replace(
        classes(),
        runs={
            "r": Finished("r", lambda: Result({"first_total": item})),
            "other": Finished("other", lambda: Result({})),
        },
    )
    with pytest.raises(UserError, match="has no index for"):
        run(study, runs="r")
    with pytest.raises(UserError, match="no total indices"):
        run(study, runs="other")


def test_that_without_a_run_or_an_order_the_model_is_asked_itself() -> None:
    class Told(Silent):
        stages: list[tuple[str, int | None]]
        done: dict[str, int]

        def stage(self, name: str, total: int | None = None) -> None:
            self.stages = [*getattr(self, "stages", []), (name, total)]
            self.done = {**getattr(self, "done", {}), name: 0}

        def advance(self, done: int) -> None:
            self.done[self.stages[-1][0]] += done

    study, told = classes(), Told()
    result = run(study, told, n=256)
    ranking = table_of(result, "ranking")
    assert ranking["ST"].is_monotonic_decreasing
    assert told.stages[0] == ("Ranking the factors", 256 * 6)
    assert dict(told.stages) == told.done
    chosen = FeatureSubsetParameters.parse({**QUICK, "n": 256})
    assert result.evaluations == sum(told.done.values()) == ANALYSIS.cost(study, chosen).evaluations


def test_that_total_indices_of_a_linear_model_are_its_shares_of_variance() -> None:
    module = torch.nn.Linear(3, 1)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[3.0, 1.0, 0.0]]))
    rows = np.random.default_rng(1).uniform(size=(200, 3))
    rows[0], rows[1] = 0, 1
    net = network_from_module(module, sample=rows[:2], name="linear", device="cpu")
    told: list[int] = []
    found = total_indices(net, rows, ["a", "b", "c"], n=4096, seed=1, batch_size=None, advance=told.append, warn=print)
    np.testing.assert_allclose(found, [0.9, 0.1, 0.0], atol=0.01)
    assert sum(told) == 4096 * 5


class Interrupted(Silent):
    """Stops after a number of epochs; keeps what was kept."""

    def __init__(self, epochs: int, checkpoint: Checkpoint | None = None) -> None:
        super().__init__(checkpoint)
        self.left = epochs

    def advance(self, done: int) -> None:
        self.left -= 1
        if self.left < 0:
            raise Stopped


def test_that_a_cancel_is_obeyed_between_epochs_and_a_resumed_run_gives_the_same_numbers() -> None:
    study = classes()
    whole = run(study, order=ORDER)
    first = Interrupted(epochs=100)
    with pytest.raises(Stopped):
        run(study, first, order=ORDER)
    kept = first.restored()
    assert kept is not None
    assert np.isfinite(kept.arrays["scores"][:, :, 0]).sum() == 2
    resumed = run(study, Silent(kept), order=ORDER)
    pd.testing.assert_frame_equal(table_of(resumed, "accuracy"), table_of(whole, "accuracy"))
    assert resumed.evaluations == whole.evaluations * 4 // 6


def test_that_more_seeds_extend_a_finished_run_and_other_settings_do_not() -> None:
    study, kept = classes(), Silent()
    two = run(study, kept, order=ORDER)
    three = run(study, Silent(kept.restored()), order=ORDER, repeats=3)
    assert three.evaluations * 2 == two.evaluations
    fresh = run(study, order=ORDER, repeats=3)
    pd.testing.assert_frame_equal(table_of(three, "accuracy"), table_of(fresh, "accuracy"))
    with pytest.raises(UserError, match="other settings"):
        run(study, Silent(kept.restored()), order=ORDER, epochs=41)
    assert "repeats" in ANALYSIS.extendable


def test_that_a_quantity_gives_an_error_in_its_own_unit() -> None:
    study = study_of(table_from_frame(frame(300, regression=True), name="t", target="y"))
    result = run(study, order=ORDER, epochs=60)
    assert list(result) == ["error", "summary", "notes"]
    table = study.table()
    mlp = architectures()["mlp"]
    recipe = mlp.recipe().model_copy(update={"epochs": 60, "learning_rate": 0.01})
    module, outcome = train_new(
        mlp,
        study.model.options if study.model else {},
        recipe,
        table.features(),
        table.target_values(),
        n_classes=0,
        seed=1,
    )
    mean, std = (np.array(outcome.preprocessing[key]) for key in ("mean", "std"))
    rows = torch.tensor((table.features() - mean) / std, dtype=torch.float32)
    with torch.no_grad():
        predicted = module(rows).numpy()[:, 0]
    squares = (predicted - table.target_values()) ** 2
    row = table_of(result, "error").iloc[0]
    assert row["test"] == pytest.approx(np.sqrt(squares[outcome.split.test].mean()), rel=1e-4)
    assert row["train"] == pytest.approx(np.sqrt(squares[outcome.split.train].mean()), rel=1e-4)
    assert result["error"].units["test"] == "unit of y"  # type: ignore[attr-defined]
    summary = table_of(result, "summary").set_index("subset")
    assert summary.loc["most important", "test_mean"] < summary.loc["least important", "test_mean"] / 2


def test_that_rows_with_gaps_take_part_in_no_training_so_that_all_subsets_see_the_same_rows() -> None:
    data = frame()
    data.loc[:9, "nothing"] = np.nan
    progress = Silent()
    result = run(study_of(table_from_frame(data, name="t", target="y")), progress, order=ORDER)
    assert "10 rows with a missing value take part in no training." in progress.warnings
    complete = run(
        study_of(table_from_frame(frame().iloc[10:].reset_index(drop=True), name="t", target="y")), order=ORDER
    )
    assert result.evaluations == complete.evaluations


def test_that_the_given_model_and_the_number_of_threads_stay_as_they_were() -> None:
    study = classes()
    network = study.network()
    network.module.train()
    before = {name: value.clone() for name, value in network.module.state_dict().items()}
    threads = torch.get_num_threads()
    run(replace(study, network_loader=lambda: network), n=64, repeats=1)
    assert network.module.training
    assert all(torch.equal(value, before[name]) for name, value in network.module.state_dict().items())
    assert torch.get_num_threads() == threads


def test_that_one_training_that_diverges_is_said_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from sensiview.numerics import subset_training

    def sometimes(*arguments: Any, seed: int, **more: Any) -> Any:
        if seed == 2:
            raise ModelError("The training diverged.")
        return train_new(*arguments, seed=seed, **more)

    monkeypatch.setattr(subset_training, "train_new", sometimes)
    progress = Silent()
    accuracy = table_of(run(classes(), progress, order=ORDER), "accuracy")
    assert set(accuracy["seed"]) == {1}
    assert "with seed 2 failed. The training diverged." in " ".join(progress.warnings)
    with pytest.raises(ModelError, match="diverged"):
        run(replace(classes(), seed=2), order=ORDER, repeats=1)


@pytest.mark.parametrize(
    "parameters, sentence",
    [
        ({"k": 4}, "at most 3, not 4"),
        ({"order": "strong,weak"}, "it lacks none, nothing"),
        ({"order": [*ORDER, "strong"]}, "names a factor twice"),
        ({"order": ["strng", *ORDER[1:]]}, "Did you mean 'strong'"),
        ({"runs": "sobol-1"}, "no finished run 'sobol-1'"),
        ({"runs": ["a", "b"]}, "one run"),
        ({"runs": "a", "order": ORDER}, "not both"),
        ({"train_rows": "0-499"}, "There is no row 499"),
        ({"recipe": {"learning_rte": 1}}, "Did you mean 'learning_rate'"),
        ({"recipe": {"optimiser": "magic"}}, "optimiser"),
    ],
)
def test_that_values_that_do_not_fit_are_sentences_before_the_run(parameters: dict[str, Any], sentence: str) -> None:
    chosen = FeatureSubsetParameters.parse({**QUICK, **parameters})
    study = classes()
    assert sentence in " ".join(ANALYSIS.problems(study, chosen))
    ANALYSIS.cost(study, chosen)


def test_that_n_that_is_no_power_of_two_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match="such as 512 or 1024"):
        FeatureSubsetParameters.parse({"n": 1000})


def test_that_obstacles_name_what_is_missing() -> None:
    study = classes()
    assert study.model is not None
    bare = replace(study, model=study.model.model_copy(update={"architecture": ""}))
    assert "not made from a named architecture" in " ".join(ANALYSIS.obstacles(bare))
    unknown = replace(study, model=study.model.model_copy(update={"architecture": "mpl"}))
    assert "Did you mean 'mlp'" in " ".join(ANALYSIS.obstacles(unknown))
    images = replace(study, model=study.model.model_copy(update={"architecture": "resnet18"}))
    assert "not one for tables" in " ".join(ANALYSIS.obstacles(images))
    no_target = study_of(table_from_frame(frame()[ORDER], name="t"))
    assert "no target column" in " ".join(ANALYSIS.obstacles(no_target))


def test_that_an_architecture_of_a_plugin_can_be_trained() -> None:
    class Mine(Architecture):
        key, title, help = "mine", "Mine", "A test's."

        def build(self, options: Any, input_shape: tuple[int, ...], n_outputs: int) -> torch.nn.Module:
            return torch.nn.Linear(input_shape[0], 1)

        def n_outputs(self, n_classes: int) -> int:
            return 1

    study = classes()
    assert study.model is not None
    card = study.model.model_copy(update={"architecture": "mine", "options": {}})
    result = run(replace(study, model=card, architectures={"mine": Mine()}), order=ORDER)
    assert len(table_of(result, "accuracy")) == 6


def test_that_subsets_that_overlap_are_said() -> None:
    text = run(classes(), order=ORDER, k=3, repeats=1)["notes"].text  # type: ignore[attr-defined]
    assert "overlap; in both: weak, none." in text
    assert "interval" not in text


def test_that_the_words_follow_the_numbers() -> None:
    scores = np.zeros((3, 4, 2))
    scores[0, :, 1] = [0.80, 0.82, 0.78, 0.80]
    scores[1, :, 1] = [0.80, 0.81, 0.79, 0.80]
    scores[2, :, 1] = [0.70, 0.71, 0.69, 0.70]
    factors = {"all": "a, b", "most important": "a", "least important": "b"}
    text = in_words(scores, factors, classes=True, overlap=())
    assert text.startswith(
        "Mean test accuracy over 4 seeds: 80.0 % with all factors, 80.0 % with the most important (a)"
    )
    assert "+0.0 percentage points against all (95 % interval over seeds -1.3 to +1.3), which can't be told" in text
    assert "-10.0 percentage points against all (95 % interval over seeds -11.3 to -8.7)." in text


def test_that_row_counts_follow_from_the_recipe() -> None:
    recipe = TrainingRecipe()
    assert row_counts(recipe, 150) == (120, 30)
    assert row_counts(changed(recipe, {"train_rows": "0-99"}), 150) == (100, 50)
    assert row_counts(changed(recipe, {"test_rows": "0-99"}), 150) == (50, 100)
    assert row_counts(changed(recipe, {"train_rows": "0-49", "test_rows": "60-69"}), 150) == (50, 10)


def test_that_the_real_table_ranks_and_trains_with_the_authors_network(shared_data: Path) -> None:
    table = table_from_frame(pd.read_csv(shared_data / "tabular" / "pima_diabetes.csv"), name="pima", target="Outcome")
    weights = SimpleNamespace(path=shared_data / "weights" / "pima_mlp_8-10-1_LUCI1a.pth")
    given = SimpleNamespace(
        card=ModelCard(name="pima", architecture="diabetes_net", class_names=("0", "1")), weights=weights, program=None
    )
    card = inspect_model(given).card
    source = SimpleNamespace(card=card, weights=weights, program=None)
    study = Study(
        table.card, card, "cpu", table_loader=lambda: table, network_loader=lambda: open_network(source, device="cpu")
    )
    assert ANALYSIS.cost(study, FeatureSubsetParameters()).evaluations == 1024 * 10 + 30 * 2000 * 700
    # A twentieth of the epochs, at ten times the rate: enough to tell the subsets apart in seconds.
    chosen = FeatureSubsetParameters(k=4, repeats=2, epochs=100, learning_rate=0.1)
    result = ANALYSIS.run(study, chosen, Silent())
    assert set(table_of(result, "ranking")["factor"][:4]) == {"Glucose", "BMI", "Age", "Insulin"}
    summary = table_of(result, "summary").set_index("subset")
    assert summary.loc["most important", "test_mean"] > 0.74
    assert summary.loc["least important", "test_mean"] < 0.74
