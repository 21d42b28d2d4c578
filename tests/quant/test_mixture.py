"""Bernoulli mixtures: recovery, likelihood, codes, draws, and their integer programs."""

import itertools

import numpy as np
import pytest

from codesign.convert.mixture import first_state, generator_program, score_program
from codesign.engine import ENGINES, create
from codesign.errors import CodesignError
from codesign.quant import (
    BernoulliMixture,
    MixtureCodes,
    fit_mixture,
    in_order,
    log_tables,
    score_constants,
)


def planted(seed, count=2000, components=3, size=64):
    """Vectors of a known mixture, means in [.1, .9] (6-gbm.md 4.7)."""
    random = np.random.default_rng(seed)
    means = random.uniform(0.1, 0.9, (components, size))
    chosen = random.integers(0, components, count)
    return means, (random.random((count, size)) < means[chosen]).astype(np.uint8)


class TestFit:
    @pytest.mark.parametrize("seed", [0, 1, 2])
    def test_a_planted_mixture_is_recovered(self, seed):
        means, vectors = planted(seed)
        found = fit_mixture(vectors, 3, seed=seed)
        errors = [
            np.abs(found.means[list(order)] - means) for order in itertools.permutations(range(3))
        ]
        best = min(errors, key=np.mean)
        assert best.mean() < 0.02
        assert best.max() < 0.09
        assert np.abs(found.prior - 1 / 3).max() < 0.05
        assert abs(found.prior.sum() - 1) < 1e-12

    @pytest.mark.parametrize("smoothing", [0.0, 0.5])
    def test_the_objective_never_falls(self, smoothing):
        _, vectors = planted(4, count=300, components=4, size=30)
        found = fit_mixture(vectors, 4, restarts=1, tolerance=0, smoothing=smoothing)
        gains = np.diff(found.history)
        assert len(gains) >= 10
        assert gains.min() >= -1e-9 * abs(found.history[0])
        assert found.history[-1] > found.history[0]
        if not smoothing:
            total = found.log_likelihood(vectors).sum()
            assert abs(total - found.history[-1]) < 1e-6 * abs(total)

    def test_one_component_is_the_closed_form(self):
        _, vectors = planted(5, count=100)
        found = fit_mixture(vectors, 1)
        assert np.allclose(found.means[0], (vectors.sum(0) + 0.5) / 101)
        assert found.prior.tolist() == [1.0]
        assert len(found.history) == 1

    def test_the_likelihood_is_the_formula(self):
        mixture = BernoulliMixture(np.array([0.25, 0.75]), np.array([[0.5, 0.1], [0.9, 0.2]]), ())
        wanted = [0.25 * 0.5 * 0.9 + 0.75 * 0.9 * 0.8, 0.25 * 0.5 * 0.1 + 0.75 * 0.1 * 0.2]
        found = mixture.log_likelihood(np.array([[1, 0], [0, 1]]))
        assert np.allclose(np.exp(found), wanted)

    def test_restarts_keep_the_best_and_a_seed_tells_all(self):
        _, vectors = planted(6, count=400, components=5)
        single = [fit_mixture(vectors, 5, seed=3, restarts=count) for count in (1, 4)]
        assert single[1].history[-1] >= single[0].history[-1]
        again = fit_mixture(vectors, 5, seed=3, restarts=4)
        assert np.array_equal(again.means, single[1].means)
        assert not np.array_equal(fit_mixture(vectors, 5, seed=4, restarts=1).means, again.means)

    def test_a_component_that_explains_nothing_starts_anew(self):
        """Two equal groups and one far vector: three components stay of use."""
        vectors = np.repeat(np.eye(2, 20, dtype=np.uint8), 50, axis=0)
        vectors[0] = 1
        found = fit_mixture(vectors, 3, restarts=1)
        assert np.isfinite(found.means).all()
        assert abs(found.prior.sum() - 1) < 1e-9
        assert np.isfinite(found.log_likelihood(vectors)).all()


class TestCodes:
    @pytest.mark.parametrize("bits", [1, 2, 4, 8])
    def test_means_are_rounded_and_never_certain(self, bits):
        means = np.array([[0.0, 0.1, 0.5, 0.93, 1.0]])
        codes = BernoulliMixture(np.ones(1), means, ()).quantize(bits)
        top = 1 << bits
        wanted = [min(max(int(m * top + 0.5), 1), top - 1) for m in means[0]]
        assert codes.means[0].tolist() == wanted
        assert codes.prior.tolist() == [256]

    @pytest.mark.parametrize(
        ("prior", "codes"),
        [
            ([0.5, 0.25, 0.25], [128, 64, 64]),
            ([1.0, 0.0], [255, 1]),
            ([1 / 3, 1 / 3, 1 / 3], [86, 85, 85]),
        ],
    )
    def test_priors_add_up_to_256_and_none_is_lost(self, prior, codes):
        mixture = BernoulliMixture(np.array(prior), np.full((len(prior), 2), 0.5), ())
        assert mixture.quantize().prior.tolist() == codes
        assert sum(codes) == 256

    @pytest.mark.parametrize(
        ("components", "size", "bits", "total"),
        [(3, 1024, 8, 24_600), (3, 1024, 4, 12_312), (1, 512, 8, 4_104), (10, 2048, 2, 41_040)],
    )
    def test_memory_is_the_formula(self, components, size, bits, total):
        mixture = BernoulliMixture(
            np.full(components, 1 / components), np.full((components, size), 0.5), ()
        )
        assert mixture.quantize(bits).memory_bits == components * (size * bits + 8) == total

    def test_draws_have_the_means(self):
        codes = MixtureCodes(np.array([64, 192]), np.array([[3, 128, 250], [200, 64, 1]]), 8)
        count = 40_000
        drawn = codes.sample(count, np.random.default_rng(0))
        wanted = (codes.prior / 256) @ (codes.means / 256)
        sigma = np.sqrt(wanted * (1 - wanted) / count)
        assert (np.abs(drawn.mean(0) - wanted) < 3 * sigma).all()

    def test_repair_makes_thermometers(self):
        bits = np.array([[0, 1, 1, 0, 1, 0], [0, 0, 0, 1, 1, 1]])
        assert in_order(bits, 3).tolist() == [[1, 1, 0, 1, 0, 0], [0, 0, 0, 1, 1, 1]]

    @pytest.mark.parametrize("bits", [1, 3, 8])
    def test_tables_of_logarithms(self, bits):
        tables, top = log_tables(bits), 1 << bits
        m = np.arange(1, top)
        assert np.abs(tables[1, 1:] - 16 * np.log2(m / top)).max() <= 0.5
        assert np.abs(tables[0, 1:] - 16 * np.log2(1 - m / top)).max() <= 0.5
        assert tables.shape == (2, top)


class TestPrograms:
    def test_classes_by_likelihood_on_every_engine(self):
        """Two bits apart in half the features: the mixture's class is the planted one."""
        fitted, vectors = [], []
        for label in range(4):
            _, drawn = planted(10 + label, count=300, components=2)
            fitted.append(fit_mixture(drawn, label % 2 + 1, seed=label))
            vectors.append(drawn[:50])
        codes = [mixture.quantize(6) for mixture in fitted]
        graph = score_program("classes", *score_constants(codes), classes=list("abcd"))
        batch = {"latent": np.concatenate(vectors)}
        found = [create(engine, graph, threads=1).run(batch) for engine in ENGINES]
        for other in found[1:]:
            assert all(np.array_equal(other[name], found[0][name]) for name in found[0])
        assert (found[0]["class"] == np.repeat(np.arange(4), 50)).mean() > 0.95
        # the same decision in floating point: the best component of each class
        exact = np.stack([mixture.scores(batch["latent"]).max(axis=1) for mixture in fitted], 1)
        assert (exact.argmax(axis=1) == found[0]["class"]).mean() > 0.98
        assert graph.metadata["classes"] == ["a", "b", "c", "d"]

    def test_the_generator_carries_its_state_on_every_engine(self):
        graph = generator_program("draws", 48, bits=5)
        means = np.random.default_rng(0).integers(1, 32, (1, 48))
        streams = []
        for engine in ENGINES:
            machine = create(engine, graph, threads=1)
            state, drawn = first_state(), []
            for _ in range(6):
                found = machine.run({"means": means, "state": state})
                drawn.append(found["latent"])
                assert not np.array_equal(found["state_next"], state)
                state = found["state_next"]
            streams.append(np.concatenate(drawn))
        assert all(np.array_equal(stream, streams[0]) for stream in streams[1:])
        assert not np.array_equal(streams[0][0], streams[0][1])

    def test_its_draws_have_the_means(self):
        graph = generator_program("draws", 32)
        machine = create("numba", graph, threads=1)
        states = np.random.default_rng(3).integers(0, 2, (1500, 61)).astype(np.uint8)
        means = np.linspace(4, 252, 32).astype(int)
        found = machine.run({"means": np.tile(means, (1500, 1)), "state": states})
        share = means / 256
        sigma = np.sqrt(share * (1 - share) / 1500)
        assert (np.abs(found["latent"].mean(0) - share) < 3 * sigma).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: fit_mixture(np.full((3, 2), 2), 1),
            "mixture: the vectors have shape (3, 2); give N x D bits 0 and 1",
        ),
        (
            lambda: fit_mixture(np.zeros((2, 4)), 3),
            "mixture: 2 vectors for 3 components; give 1 component or more, and a vector for each",
        ),
        (
            lambda: BernoulliMixture(np.ones(1), np.full((1, 2), 0.5), ()).quantize(9),
            "mixture: 9 bits are no code of a mean; give 1 to 8",
        ),
        (
            lambda: BernoulliMixture(np.ones(300), np.full((300, 2), 0.5), ()).quantize(),
            "mixture: 300 components, 8 bits of prior tell 256 apart; give fewer",
        ),
        (
            lambda: in_order(np.zeros((2, 6)), 4),
            "mixture: 6 bits are no whole features of 4 levels; give a divisor",
        ),
        (
            lambda: score_constants(
                [MixtureCodes(np.array([256]), np.ones((1, 3), int), bits) for bits in (4, 8)]
            ),
            "mixture: the classes have (bits, size) [(4, 3), (8, 3)]; give mixtures of one kind",
        ),
        (
            lambda: score_program(
                "s",
                *score_constants([MixtureCodes(np.array([256]), np.ones((1, 3), int), 4)]),
                classes=["a", "b"],
            ),
            "s: 2 classes, means of 1; name one class a mixture",
        ),
    ],
)
def test_messages(call, message):
    with pytest.raises(CodesignError) as error:
        call()
    assert str(error.value) == message
