"""One round of the peers on ML-1M's strong split, two threads: prints one line of JSON.

    peers.py FOLDER    the folder with train.tsv and test.tsv

The same objective, data and hyper-parameters as crates/reco/examples/speed.rs: iALS with 64 factors and 15 epochs (irspack, by an exact
Cholesky factorisation and by its conjugate gradients), EASE with lambda 800 (numpy), fold-in and the best 20 of all titles (implicit).
"""

import json
import sys
import time
from pathlib import Path

import implicit.als
import numpy as np
import scipy.sparse as sparse
from irspack import IALSRecommender
from threadpoolctl import threadpool_limits

THREADS = 2
DEPTH = 100


def numbers(text):
    return [int(number) - 1 for number in text.split(",")]


def lines(path):
    return [line.split("\t") for line in path.read_text().splitlines()]


def matrix(histories, items):
    rows = np.repeat(np.arange(len(histories)), [len(history) for history in histories])
    columns = np.concatenate([np.asarray(history) for history in histories])
    values = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_matrix((values, (rows, columns)), shape=(len(histories), items))


def timed(work):
    began = time.perf_counter()
    made = work()
    return made, time.perf_counter() - began


def ndcg(scores, known, wanted):
    """Mean over the viewers; the best possible value has at most DEPTH titles."""
    discounts = 1 / np.log2(np.arange(DEPTH) + 2)
    total = 0.0
    for row, (seen, targets) in enumerate(zip(known, wanted)):
        ranked = np.array(scores[row], dtype=np.float64)
        ranked[seen] = -np.inf
        best = np.argsort(-ranked, kind="stable")[:DEPTH]
        hits = np.isin(best, targets)
        total += discounts[hits].sum() / discounts[: min(DEPTH, len(targets))].sum()
    return total / len(wanted)


def irspack(train, solver):
    model = IALSRecommender(
        train,
        n_components=64,
        alpha0=0.3,
        reg=0.005,
        nu=1.0,
        init_std=0.1,
        loss_type="IALSPP",
        solver_type=solver,
        train_epochs=15,
        n_threads=THREADS,
    )
    return model.learn()


def ease(train):
    gram = (train.T @ train).toarray()
    diagonal = np.diag_indices(gram.shape[0])
    gram[diagonal] += np.float32(800)
    inverse = np.linalg.inv(gram)
    weights = inverse / -np.diag(inverse)
    weights[diagonal] = 0
    return weights


def main(folder):
    train_lines, test_lines = lines(folder / "train.tsv"), lines(folder / "test.tsv")
    histories = [numbers(line[1]) for line in train_lines]
    known = [numbers(line[1]) for line in test_lines]
    wanted = [numbers(line[2]) for line in test_lines]
    items = 1 + max(max(history) for history in histories + known + wanted)
    train, test = matrix(histories, items), matrix(known, items)
    figures = {}
    for solver in ["CHOLESKY", "CG"]:
        model, seconds = timed(lambda: irspack(train, solver))
        figures[f"irspack_{solver.lower()}_s"] = seconds
        figures[f"irspack_{solver.lower()}_ndcg"] = ndcg(model.get_score_cold_user(test), known, wanted)
    weights, figures["numpy_ease_s"] = timed(lambda: ease(train))
    figures["numpy_ease_ndcg"] = ndcg(test @ weights, known, wanted)
    # What implicit asks for: its threads are its own, those of the linear algebra beneath stay out of the way.
    with threadpool_limits(1, "blas"):
        model = implicit.als.AlternatingLeastSquares(factors=64, iterations=3, num_threads=THREADS, use_cg=False)
        model.fit(train, show_progress=False)
        viewers = np.arange(train.shape[0])
        _, seconds = timed(lambda: model.recalculate_user(viewers, train))
        figures["implicit_fold_in_per_s"] = len(viewers) / seconds
        _, seconds = timed(lambda: model.recommend(viewers, train, N=20))
        figures["implicit_top_per_s"] = len(viewers) / seconds
    print(json.dumps(figures))


main(Path(sys.argv[1]))
