"""The recorded study in words, tables and figures: what is significant is said, and what is not as well."""

import math

import pytest

from analysis.shown import figures, studies, study_plots, study_tables


def compared(mean, significant=True, **more):
    interval = [mean - 0.4, mean + 0.4]
    return {"mean": mean, "interval": interval, "p": 0.01, "adjusted": 0.02, "significant": significant, **more}


def trained(setting, function, mean, levelled=True):
    course = {"checkpoints": [1, 2], "validation": [50.0, 60.0], "losses": [1.0, 0.25]}
    fixed = {"deviation": 1.5, "rate": 0.01, "rise": 0.1 if levelled else 3.0, "levelled": levelled}
    return {"setting": setting, "function": function, "mean": mean, "test": [mean, mean], **fixed, **course}


def way(target, epochs, name, mean):
    return {"target": target, "epochs": epochs, "way": name, "mean": mean, "deviation": 1.0}


def moved(target, epochs, one, other, mean, significant=True):
    return compared(mean, significant, target=target, epochs=epochs, one=one, other=other)


def stand_in(name, error, loss, significant=True):
    errors = {"sup": ["0", str(error)], "gaussian": ["0", str(error / 2)], "samples": error / 3}
    return {"name": name, **errors, "loss": compared(loss, significant)}


@pytest.fixture
def record():
    ranks = {"count": 3, "gaussian and sup": compared(0.1, p=0.3)}
    ranks |= {kind: {"of_means": value} for kind, value in {"sup": 0.7, "gaussian": 0.8, "samples": 0.9}.items()}
    stand_ins = [
        stand_in("relu", 0.3, 9.0),
        stand_in("pwl 6", 0.026, 0.6, False),
        stand_in("pwl 27", 0.001, 0.0, False),
    ]
    questions = {
        "mish and others": [
            compared(4.0, setting="mlp", one="mish", other="relu"),
            compared(-0.3, False, setting="mlp", one="mish", other="silu"),
        ],
        "spread": [
            compared(math.log(0.5), setting="mlp", one="mish", other="relu"),
            compared(0.0, False, setting="mlp", one="mish", other="silu"),
        ],
        "stand-ins": [
            compared(-1.0, setting="mlp", one="h_mish", other="mish"),
            compared(0.2, False, setting="mlp", one="hard_mish", other="mish"),
        ],
        "trend": [compared(0.7, setting="depth", one="mish", other="relu")],
        "gain": [compared(2.0, setting="mixup", one="mish", other="mish")],
        "difference of gains": [compared(-0.5, False, setting="mixup", one="mish", other="silu")],
    }
    swaps = {
        "lerp and sudden": [
            moved("relu", 2, "lerp", "sudden", 0.8) | {"same_rate": True},
            moved("relu", 8, "lerp", "sudden", 0.1, False) | {"same_rate": False},
        ],
        "tuned and from the start": [moved("relu", 2, "lerp", "start", 2.0)],
        "and mish": [moved("relu", 0, "none", "kept", -9.0)]
        + [moved("relu", n, w, "kept", -1.0 / n) for n in (2, 8) for w in ("lerp", "sudden")],
    }
    ways = [way("mish", 0, "kept", 62.0), way("relu", 0, "none", 53.0), way("relu", 2, "lerp", 61.5)]
    return {
        "command": "python -m benchmarks.training",
        "machine": {"processor": "a processor", "cores": 2, "system": "Linux"},
        "versions": {"python": "3.11", "torch": "2"},
        "planned": 10,
        "carried_out": 4,
        "processor_seconds": 120,
        "protocol": {"seeds": [0, 1], "rise": 0.5, "settings": {"mlp": {}, "digits": {}}},
        "trained": [trained("mlp", "mish", 62.0), trained("mlp", "relu", 58.0, levelled=False)],
        "questions": questions,
        "swaps": {"mlp": {"ways": ways, "questions": swaps}},
        "untuned": {
            "mlp": {
                "stand_ins": stand_ins,
                "ranks": ranks,
                "source": {"mean": 62.0},
                "root_mean_square": 1.7,
                "refits": [compared(0.4, setting="hard_gate", one="samples", other="sup")],
            }
        },
    }


def test_it_is_said_what_was_run_and_what_was_not(record):
    assert "4 of 10 planned runs, 2 minutes" in studies.provenance(record)
    assert studies.missing(record) == "Not run: MLP on digits."
    record["protocol"]["settings"].pop("digits")
    assert studies.missing(record) == "Every planned setting was run."


def test_what_has_not_levelled_is_named(record):
    said = studies.convergence(record)
    assert "in 1 of 2 configurations, but not for ReLU (MLP on MNIST-1D)" in said
    rows = study_tables.accuracies(record, "mlp").rows
    assert [row[0] for row in rows] == ["Mish", "ReLU"]
    assert rows[1][-1] == "no, still rising by 3.00"


def test_words_say_what_is_significant_and_what_is_not(record):
    said = studies.paper(record)
    assert "Against ReLU, Mish is better in 1, worse in 0 and not told apart in 0 of 1" in said
    assert "Against Swish, Mish is better in 0, worse in 0 and not told apart in 1 of 1" in said
    assert "Mish is narrower in 1, wider in 0 and not told apart in 1 of 2 comparisons (ratios from 0.50 to" in said
    assert "of Mish minus that of Swish, from mixup: -0.50 [-0.90, -0.10] (not significant)." in studies.trainings(
        record
    )
    assert "sudden swap for as many epochs is better in 1, worse in 0 and not told apart in 1 of 2" in studies.swaps(
        record, "mlp"
    )
    assert "same learning rate in 1 of these (there it is better in 1, worse in 0 and not told" in studies.swaps(
        record, "mlp"
    )


def test_the_tolerance_that_is_enough_is_the_last_before_the_first_that_may_lose_more(record):
    assert studies.enough_for(record["untuned"]["mlp"]["stand_ins"]) == (0.001, 0.026)
    assert studies.enough_for([stand_in("a", 0.1, 0.0), stand_in("b", 0.2, -0.2)]) == (0.2, None)
    assert studies.enough_for([stand_in("a", 0.1, 5.0), stand_in("b", 0.2, 0.0)]) == (None, 0.1)
    assert "up to 0.001 loses less than 0.5 points" in studies.tolerance(record, "mlp")
    assert "not told apart (+0.10" in studies.tolerance(record, "mlp")


def test_advice_follows_the_record(record):
    said = studies.practice(record)
    assert "worse h_mish (MLP on MNIST-1D); better none" in said
    assert "interpolation pays here: significantly better than a sudden swap in 1, worse in 0 of 2" in said
    record["swaps"]["mlp"]["questions"]["lerp and sudden"][0]["significant"] = False
    assert "interpolation does not pay here" in studies.practice(record)


def test_what_was_not_run_is_said_not_guessed(record):
    record["swaps"]["mlp"]["questions"] = {key: [] for key in record["swaps"]["mlp"]["questions"]}
    record["untuned"], record["questions"]["gain"], record["questions"]["difference of gains"] = {}, [], []
    assert studies.swaps(record, "mlp") == "MLP on MNIST-1D: the swap was not run."
    assert studies.tolerance(record, "mlp") == studies.refits(record, "mlp") == "MLP on MNIST-1D: not run."
    assert studies.trainings(record) == "Mixup and cosine annealing were not run."
    assert "interpolation" not in studies.practice(record)


def test_tables(record):
    assert study_tables.swap_table(record, "mlp").rows == (
        ("ReLU", "0", "53.00 ± 1.00", "", "", "", "62.00 ± 1.00"),
        ("ReLU", "2", "", "", "61.50 ± 1.00", "", ""),
    )
    rows = study_tables.stand_ins(record, "mlp").rows
    assert [row[0] for row in rows] == ["27 lines", "6 lines", "ReLU"]
    assert rows[0][-1] == "+0.00 [-0.40, +0.40] (not significant)"


def faces(axes):
    """Whether each mark is full, in order."""
    return [line.get_markerfacecolor() != "white" for line in axes.lines if line.get_marker() in ("o", "s", "^", "D")]


def test_a_full_mark_is_significant_and_a_hollow_one_is_not(record):
    _, (left, right) = figures.panels(1, 2)
    study_plots.beside_mish(left, right, record)
    assert faces(left) == faces(right) == [True, False]
    assert [float(line.get_xdata()[0]) for line in left.lines if line.get_marker() == "o"] == [4.0, -0.3]
    assert [float(line.get_xdata()[0]) for line in right.lines if line.get_marker() == "o"] == [0.5, 1.0]


def test_panels_show_the_means_of_the_record(record):
    _, panels = figures.panels(2, 3)
    study_plots.swap_grid(panels, record, "mlp", studies.swap_targets(record, "mlp"))
    assert panels[0].get_title(loc="left") == "to ReLU"
    assert {text.get_text() for text in panels[1].get_legend().get_texts()} == {
        "not trained after it",
        "sudden swap",
        "interpolated",
    }
    _, panels = figures.panels(1, 2)
    study_plots.loss_grid(panels, record, ["mlp"])
    assert [text.get_text() for text in panels[0].texts] == ["ReLU"]
    assert faces(panels[0]) == [True, False, False]
    _, (curves, cheap) = figures.panels(1, 2)
    study_plots.curves(curves, record, "mlp", ("mish", "silu", "relu"))
    assert [text.get_text() for text in curves.get_legend().get_texts()] == ["Mish", "ReLU"]
    study_plots.stand_in_grid([cheap], record, studies.compared_settings(record))
    assert [label.get_text() for label in cheap.get_yticklabels()] == ["h_mish", "hard_mish"]


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("aptx(alpha=1, beta=1, gamma=1/2)", "APTx"),
        ("aptx(alpha=1, beta=1, gamma=1/2)*", "APTx, trained"),
        ("pwl 10", "10 lines"),
        ("linear_swish(s=2, beta=1.25)", "linear_swish"),
        ("hard_gate(a=4, b=3)", "hard_gate(a=4, b=3)"),
        ("depth 6", "depth 6"),
    ],
)
def test_names(name, called):
    assert studies.named(name) == called
