//! Owns the figures that stand beside those of others: the same work on the same data in the same run, two threads each, best of five.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::Bench;
use super::report::{Figure, number};
use crate::cargo;
use crate::process::Run;
use crate::progress::Stage;
use crate::python;

const ROUNDS: usize = 5;
/// At one version each: other figures are those of another peer.
const PACKAGES: [(&str, &str); 5] = [
    ("implicit", "0.7.3"),
    ("irspack", "0.5.2"),
    ("numpy", "2.4.6"),
    ("scipy", "1.17.1"),
    ("threadpoolctl", "3.8.0"),
];
const THREADS: &str = "2";

pub fn peers(bench: &mut Bench<'_>, stage: &Stage) -> Result<Vec<Figure>> {
    let data = match bench.dataset("ml-1m").map(|folder| folder.join("strong")) {
        Ok(folder) if folder.is_dir() => folder,
        Ok(_) => return Ok(not_run("the data set ml-1m came without its folder strong")),
        Err(_) => return Ok(not_run("needs the data set ml-1m")),
    };
    let ours = example(bench.root, "reco", "speed", stage)?;
    let python = match python::environment(&bench.folder.join("peers"), &PACKAGES, stage) {
        Ok(python) => python,
        Err(error) => return Ok(not_run(&format!("the peers could not be installed: {error}"))),
    };
    let script = bench.root.join("xtask/bench/peers.py");
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        stage.part(&format!("round {round} of {ROUNDS}"));
        own.push(figures(Run::new(&ours).arg("round"), stage)?);
        others.push(figures(Run::new(&python).arg(&script).arg(&data), stage)?);
    }
    rows(&Rounds(own), &Rounds(others))
}

/// What the rounds of one side said.
struct Rounds(Vec<Value>);

impl Rounds {
    fn all(&self, key: &str) -> Result<Vec<f64>> {
        let values: Option<Vec<f64>> = self.0.iter().map(|round| round[key].as_f64()).collect();
        values.with_context(|| format!("a round says nothing of `{key}`"))
    }

    fn least(&self, key: &str) -> Result<f64> {
        Ok(self.all(key)?.into_iter().fold(f64::INFINITY, f64::min))
    }

    fn most(&self, key: &str) -> Result<f64> {
        Ok(self.all(key)?.into_iter().fold(0.0, f64::max))
    }
}

/// NDCG@100 that is no lower than the peer's by more than this is equal: seeds and the order of sums move it as much.
const NDCG_TOLERANCE: f64 = 0.000_5;

const IALS: &str = "iALS 64 factors, 15 exact epochs, ML-1M, times as fast as irspack's Cholesky";
const EASE: &str = "EASE fit, ML-1M, time over that of numpy with OpenBLAS";
const IALS_WANTED: &str = "2.00 × at equal NDCG";
const EASE_WANTED: &str = "1.00 × at equal NDCG";
const FOLD_IN: &str = "fold-in at 64 factors, ML-1M";
const TOP: &str = "best 20 of 3,416 titles from a viewer's vector, seen left out";

fn rows(own: &Rounds, others: &Rounds) -> Result<Vec<Figure>> {
    let [ials, ease] = [own.least("ials_s")?, own.least("ease_s")?];
    let [cholesky, gradients] = [others.least("irspack_cholesky_s")?, others.least("irspack_cg_s")?];
    let numpy = others.least("numpy_ease_s")?;
    // Of each side the worse round counts for us, the better for the peer: every round is to be as good.
    let [own_ials, own_ease] = [own.least("ials_ndcg")?, own.least("ease_ndcg")?];
    let [their_ials, their_ease] = [others.most("irspack_cholesky_ndcg")?, others.most("numpy_ease_ndcg")?];
    let is_equal = |own: f64, theirs: f64| own >= theirs - NDCG_TOLERANCE;
    let ials_note = format!(
        "{} s against {} s, by conjugate gradients {} s; NDCG@100 {} against {} and {}",
        number(ials),
        number(cholesky),
        number(gradients),
        number(own_ials),
        number(their_ials),
        number(others.most("irspack_cg_ndcg")?),
    );
    let ease_note = format!(
        "{} s against {} s; NDCG@100 {} against {}",
        number(ease),
        number(numpy),
        number(own_ease),
        number(their_ease),
    );
    let [fold_in, top] = [own.most("fold_in_per_s")?, own.most("top_per_s")?];
    let implicit = |key: &str| -> Result<String> { Ok(format!("implicit {}", number(others.most(key)?))) };
    Ok(vec![
        Figure::at_least(IALS, cholesky / ials, 2.0, "×")
            .noted(&ials_note)
            .wanting(IALS_WANTED)
            .only_if(is_equal(own_ials, their_ials)),
        Figure::at_most(EASE, ease / numpy, 1.0, "×")
            .noted(&ease_note)
            .wanting(EASE_WANTED)
            .only_if(is_equal(own_ease, their_ease)),
        Figure::at_least(FOLD_IN, fold_in, 5_000.0, "viewers/s").noted(&implicit("implicit_fold_in_per_s")?),
        Figure::at_least(TOP, top, 25_000.0, "viewers/s").noted(&implicit("implicit_top_per_s")?),
    ])
}

fn not_run(why: &str) -> Vec<Figure> {
    let wanted = [
        (IALS, IALS_WANTED),
        (EASE, EASE_WANTED),
        (FOLD_IN, "5000 viewers/s"),
        (TOP, "25,000 viewers/s"),
    ];
    wanted
        .into_iter()
        .map(|(what, target)| Figure::not_run(what, target, why))
        .collect()
}

/// An example of a package, built as it is released.
pub fn example(root: &Path, package: &str, name: &str, stage: &Stage) -> Result<PathBuf> {
    let words = ["build", "--release", "--locked", "-p", package, "--example", name];
    cargo::run(root).args(words).run(stage)?;
    Ok(cargo::target_folder(root).join("release/examples").join(name))
}

/// The last line that a program prints, which is its figures.
pub fn figures(run: Run, stage: &Stage) -> Result<Value> {
    let threads = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"];
    let run = threads.into_iter().fold(run, |run, name| run.variable(name, THREADS));
    let said = run.output(stage)?;
    let line = said.lines().rev().find_map(|line| Some(&line[line.find('{')?..]));
    serde_json::from_str(line.context("a program gave no figures")?).context("read a program's figures")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_best_round_of_each_side_counts() -> Result<()> {
        let own = |ials: f64, top: f64| {
            json!({ "ials_s": ials, "ials_ndcg": 0.4790, "ease_s": 0.5, "ease_ndcg": 0.4836,
                    "fold_in_per_s": 40_000.0, "top_per_s": top })
        };
        let others = |cholesky: f64| {
            json!({ "irspack_cholesky_s": cholesky, "irspack_cholesky_ndcg": 0.4793, "irspack_cg_s": 1.75,
                    "irspack_cg_ndcg": 0.4787, "numpy_ease_s": 1.0, "numpy_ease_ndcg": 0.4836,
                    "implicit_fold_in_per_s": 4_500.0, "implicit_top_per_s": 24_000.0 })
        };
        let own = Rounds(vec![own(2.0, 20_000.0), own(1.0, 24_000.0)]);
        let figures = rows(&own, &Rounds(vec![others(5.0), others(4.0)]))?;
        let shown: Vec<(&str, bool)> = figures.iter().map(|row| (row.measured.as_str(), row.met)).collect();
        assert_eq!(
            shown,
            [
                (
                    "4.00 × (1.00 s against 4.00 s, by conjugate gradients 1.75 s; NDCG@100 0.4790 against 0.4793 and 0.4787)",
                    true
                ),
                (
                    "0.5000 × (0.5000 s against 1.00 s; NDCG@100 0.4836 against 0.4836)",
                    true
                ),
                ("40,000 viewers/s (implicit 4500)", true),
                ("24,000 viewers/s (implicit 24,000)", false),
            ]
        );
        assert!(rows(&own, &Rounds(vec![json!({})])).is_err());
        Ok(())
    }

    #[test]
    fn a_speed_at_a_lower_ndcg_is_none() -> Result<()> {
        let own = |ials_ndcg: f64, ease_ndcg: f64| {
            json!({ "ials_s": 1.0, "ials_ndcg": ials_ndcg, "ease_s": 0.5, "ease_ndcg": ease_ndcg,
                    "fold_in_per_s": 40_000.0, "top_per_s": 60_000.0 })
        };
        let others = json!({ "irspack_cholesky_s": 4.0, "irspack_cholesky_ndcg": 0.4793, "irspack_cg_s": 1.75,
                "irspack_cg_ndcg": 0.4787, "numpy_ease_s": 1.0, "numpy_ease_ndcg": 0.4836,
                "implicit_fold_in_per_s": 4_500.0, "implicit_top_per_s": 24_000.0 });
        let met = |rounds: Vec<Value>| -> Result<Vec<bool>> {
            let rows = rows(&Rounds(rounds), &Rounds(vec![others.clone()]))?;
            Ok(rows.iter().take(2).map(|row| row.met).collect())
        };
        assert_eq!(met(vec![own(0.4792, 0.4836)])?, [true, true]);
        assert_eq!(met(vec![own(0.4780, 0.4820)])?, [false, false]);
        assert_eq!(met(vec![own(0.4792, 0.4836), own(0.4780, 0.4836)])?, [false, true]);
        Ok(())
    }

    #[test]
    fn what_was_not_run_says_why_and_is_not_met() {
        let rows = not_run("needs the data set ml-1m");
        assert!(
            rows.iter()
                .all(|row| !row.met && row.measured == "not run: needs the data set ml-1m")
        );
    }
}
