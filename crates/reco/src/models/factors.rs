//! Title vectors with a viewer's vector folded in: shared by iALS and the content model.

use crate::codec::{TensorReader, TensorWriter};
use crate::dataset::Event;
use crate::error::Result;
use crate::linalg::{SpdSolver, dot, gram, multiply};
use crate::model::{Contribution, Scratch, sorted_contributions};
use crate::select::{ItemSet, Scored, top_k};
use serde::{Deserialize, Serialize};

/// The weights of the iALS objective that folding in needs (Rendle et al. 2021, "Revisiting the performance of iALS
/// on item recommendation benchmarks").
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// Weight α₀ of a pair that was not observed.
    pub unobserved: f32,
    /// Regularisation λ, scaled by (observations + α₀ · size of the other side)^ν.
    pub regularisation: f32,
    /// Exponent ν of the frequency scaling.
    pub frequency_exponent: f32,
}

impl Objective {
    /// The ridge of a row with `observed` observations against a side of `others` rows.
    pub fn ridge(&self, observed: usize, others: usize) -> f32 {
        let frequency = observed as f32 + self.unobserved * others as f32;
        (self.regularisation * frequency.powf(self.frequency_exponent)).max(1e-6)
    }
}

/// Title vectors, row-major `[items × size]`, and α₀·VᵀV.
#[derive(Clone, Debug, PartialEq)]
pub struct Factors {
    objective: Objective,
    size: usize,
    vectors: Vec<f32>,
    gram: Vec<f32>,
    /// Titles that the objective speaks of: those of training.
    trained: usize,
}

impl Factors {
    pub fn new(objective: Objective, size: usize, vectors: Vec<f32>) -> Self {
        let mut gram = gram(&vectors, size);
        gram.iter_mut().for_each(|g| *g *= objective.unobserved);
        Self {
            objective,
            size,
            trained: vectors.len() / size,
            vectors,
            gram,
        }
    }

    /// Adds titles that were not there in training, row-major `[titles × size]`; the objective does not hear of them.
    pub fn append(&mut self, vectors: &[f32]) {
        self.vectors.extend_from_slice(vectors);
    }

    pub fn items(&self) -> usize {
        self.vectors.len() / self.size
    }

    /// A title's vector; empty for a title outside the catalogue.
    pub fn vector(&self, item: u32) -> &[f32] {
        let start = item as usize * self.size;
        self.vectors.get(start..start + self.size).unwrap_or_default()
    }

    fn known<'a>(&'a self, history: &'a [Event]) -> impl Iterator<Item = &'a Event> {
        history.iter().filter(|event| self.knows(event))
    }

    fn knows(&self, event: &Event) -> bool {
        (event.item as usize) < self.items() && event.weight != 0.0
    }

    /// Collects the viewer's normal equations; answers their ridge, `None` where there is no usable history.
    fn observe(&self, history: &[Event], solver: &mut SpdSolver) -> Option<f32> {
        solver.start(&self.gram, self.size);
        let known = self.known(history).map(|event| (event.item, event.weight));
        let observed = solver.observe_all(&self.vectors, known);
        (observed > 0).then(|| self.objective.ridge(observed, self.trained))
    }

    /// The viewer's vector, left in `scratch.vector`; false where there is no usable history.
    pub fn fold_in(&self, history: &[Event], scratch: &mut Scratch) -> bool {
        let (solver, vector) = (&mut scratch.solver, &mut scratch.vector);
        vector.resize(self.size, 0.0);
        let ridge = self.observe(history, solver);
        ridge.is_some_and(|ridge| solver.solve(ridge, vector).is_ok())
    }

    pub fn score(&self, history: &[Event], scratch: &mut Scratch, out: &mut [f32]) {
        if self.fold_in(history, scratch) {
            self.score_vector(&scratch.vector, out);
        } else {
            out.fill(0.0);
        }
    }

    pub fn score_vector(&self, vector: &[f32], out: &mut [f32]) {
        multiply(&self.vectors, vector, out);
    }

    /// Contribution of event i to title j: `wᵢ · vᵢᵀ A⁻¹ vⱼ` (Hu, Koren, Volinsky 2008, section 5); they sum to the score exactly.
    pub fn explain(&self, history: &[Event], item: u32) -> Vec<Contribution> {
        if item as usize >= self.items() {
            return Vec::new();
        }
        let mut terms = Vec::new();
        self.terms(history, &[item], &mut Scratch::default(), &mut terms);
        let parts = history.iter().zip(terms).map(|(event, contribution)| Contribution {
            item: event.item,
            contribution,
        });
        sorted_contributions(parts.collect())
    }

    /// The contribution of every event to each of `items`: `[events × items]`, zero for an event that says nothing and for a title
    /// outside the catalogue. The normal equations are factorised once.
    pub fn terms(&self, history: &[Event], items: &[u32], scratch: &mut Scratch, out: &mut Vec<f32>) {
        let count = items.len();
        out.clear();
        out.resize(history.len() * count, 0.0);
        let solver = &mut scratch.solver;
        let Some(ridge) = self.observe(history, solver).filter(|_| count > 0) else {
            return;
        };
        let mut directions = vec![0f32; self.size * count];
        for (index, &item) in items.iter().enumerate() {
            let column = directions.iter_mut().skip(index).step_by(count);
            column.zip(self.vector(item)).for_each(|(to, value)| *to = *value);
        }
        if solver.solve_all(ridge, &mut directions, count).is_err() {
            return;
        }
        let known = history.iter().zip(out.chunks_exact_mut(count));
        for (event, terms) in known.filter(|(event, _)| self.knows(event)) {
            for (value, direction) in self.vector(event.item).iter().zip(directions.chunks_exact(count)) {
                let weight = event.weight * value;
                terms
                    .iter_mut()
                    .zip(direction)
                    .for_each(|(term, along)| *term += weight * along);
            }
        }
    }

    /// Cosine neighbours.
    pub fn similar(&self, item: u32, k: usize) -> Vec<Scored> {
        if item as usize >= self.items() {
            return Vec::new();
        }
        let own = self.vector(item);
        let own_norm = dot(own, own).sqrt();
        let mut scores = vec![0f32; self.items()];
        multiply(&self.vectors, own, &mut scores);
        for (score, vector) in scores.iter_mut().zip(self.vectors.chunks_exact(self.size)) {
            *score /= (own_norm * dot(vector, vector).sqrt()).max(1e-12);
        }
        let mut best = Vec::new();
        top_k(&scores, k, &ItemSet::of(self.items(), [item]), &mut best);
        best.retain(|s| s.score > 0.0);
        best
    }

    pub fn write(&self, writer: &mut TensorWriter) {
        writer.f32("vectors", &self.vectors);
    }

    pub fn read(reader: &TensorReader<'_>, objective: Objective, items: usize, size: usize) -> Result<Self> {
        if size == 0 {
            return Err(reader.error("vectors of size 0"));
        }
        let vectors = reader.f32("vectors", items * size)?;
        Ok(Self::new(objective, size, vectors))
    }
}
