//! The trees on planted lists: they find what a line cannot say, leave alone what it says already, and refuse broken files.

use super::columns::{self, COLUMNS, Subject};
use super::features::{FEATURES, SIGNALS, Signal};
use super::fit::{CandidateList, tree_list};
use super::forest::{Forest, ForestSettings, List, Tree};
use crate::codec::{TensorReader, TensorWriter};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::HashSet;

/// Lists whose only hit is a candidate where exactly one of the first two features is above a half; the third is noise.
fn either_or(lists: usize) -> Vec<List> {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let list = |_| {
        let mut rows: Vec<f32> = (0..20 * 3).map(|_| rng.random()).collect();
        for (place, row) in rows.chunks_exact_mut(3).enumerate() {
            // The first candidate answers the question with one of the two, all others with both or none.
            let second_is_high = row[1] > 0.5;
            let high = second_is_high != (place == 0);
            row[0] = if high { 0.5 + row[0] / 2.0 } else { row[0] / 2.0 };
        }
        List {
            rows,
            start: vec![0.0; 20],
            hits: vec![0],
        }
    };
    (0..lists).map(list).collect()
}

/// The trees' answers for the candidates of a list.
fn answers(forest: &Forest, list: &List, features: usize) -> Vec<f32> {
    let count = list.start.len();
    let columns: Vec<f32> = (0..features)
        .flat_map(|feature| list.rows.chunks_exact(features).map(move |row| row[feature]))
        .collect();
    let mut out = vec![0.0; count];
    forest.add(&columns, &mut Vec::new(), &mut out);
    out
}

#[test]
fn trees_find_what_no_line_can_say() {
    let lists = either_or(600);
    let forest = Forest::train(&lists, 3, &ForestSettings::default());
    let first = |list: &&List| {
        let answers = answers(&forest, list, 3);
        answers[1..].iter().all(|other| answers[0] > *other)
    };
    let found = lists.iter().filter(first).count();
    assert!(found > 590, "{found} of 600 with {} trees", forest.trees());
}

#[test]
fn few_lists_grow_no_trees_and_any_number_of_threads_the_same() {
    assert_eq!(Forest::train(&either_or(100), 3, &ForestSettings::default()).trees(), 0);
    let lists = either_or(400);
    let grown = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("a pool");
        pool.install(|| Forest::train(&lists, 3, &ForestSettings::default()))
    };
    assert!(grown(1) == grown(3));
}

/// Long lists whose hits are drawn by the very shares of the linear score: nothing is left to learn. Thinning a list to its best
/// and some others must not make the others look worth more than they are.
#[test]
fn thinned_lists_teach_nothing_that_the_whole_ones_do_not() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let list = |_| {
        let scores: Vec<f32> = (0..300).map(|_| 4.0 * rng.random::<f32>()).collect();
        let total: f32 = scores.iter().map(|score| score.exp()).sum();
        let mut left = rng.random::<f32>() * total;
        let passed = |score: &f32| {
            left -= score.exp();
            left <= 0.0
        };
        let hit = scores.iter().position(passed).unwrap_or(0) as u32;
        let mut rows = vec![0.0; 300 * FEATURES];
        rows.chunks_exact_mut(FEATURES)
            .zip(&scores)
            .for_each(|(row, score)| row[0] = *score);
        let mut columns = vec![0.0; 300 * COLUMNS];
        columns[..300].copy_from_slice(&scores);
        CandidateList {
            rows,
            columns,
            hits: vec![hit],
        }
    };
    let mut weights = vec![0.0; FEATURES];
    weights[0] = 1.0;
    let lists: Vec<CandidateList> = (0..1_000).map(list).collect();
    let lists: Vec<List> = lists
        .iter()
        .enumerate()
        .map(|(index, list)| tree_list(list, &weights, 1, index))
        .collect();
    let forest = Forest::train(&lists, COLUMNS, &ForestSettings::default());
    let mut columns = vec![0.0; 2 * COLUMNS];
    (columns[0], columns[1]) = (0.2, 3.8);
    let mut out = [0.0; 2];
    forest.add(&columns, &mut Vec::new(), &mut out);
    assert!((out[1] - out[0]).abs() < 0.3, "{out:?} from {} trees", forest.trees());
}

#[test]
fn a_question_about_a_column_that_does_not_exist_is_refused() {
    let forest = Forest::train(&either_or(400), 3, &ForestSettings::default());
    let mut writer = TensorWriter::default();
    forest.write(&mut writer);
    let bytes = writer.finish("trees", &()).expect("writes");
    let reader = TensorReader::new("trees", &bytes).expect("reads");
    assert!(Forest::read(&reader, 3).expect("fits") == forest);
    let refused = Forest::read(&reader, 1).expect_err("two of three features are gone");
    assert!(refused.to_string().contains("does not exist"), "{refused}");
}

#[test]
fn every_column_has_a_name_of_its_own_and_a_subject() {
    let names: HashSet<String> = (0..COLUMNS).map(columns::name).collect();
    assert_eq!(names.len(), COLUMNS);
    for (column, subject) in columns::subjects().into_iter().enumerate() {
        let name = columns::name(column);
        let expected = match name.split_once('.') {
            Some(("after" | "weight", age)) => Subject::Event(age.parse::<usize>().expect("a number") - 1),
            Some(("title", "count" | "liked")) => Subject::Signal(Signal::Popularity),
            Some(("title", "idle" | "burst" | "season")) => Subject::Signal(Signal::Trending),
            Some(("title" | "unlike" | "history", _)) => Subject::Other,
            Some((signal, _)) => {
                let known = SIGNALS.into_iter().find(|known| format!("{known:?}") == signal);
                Subject::Signal(known.expect("a signal"))
            }
            None => panic!("{name}"),
        };
        assert_eq!(subject, expected, "{name}");
    }
}

/// Trees of three questions over features that belong to players.
fn divided(leaves: [f32; 8], to: u8, players: [usize; 3]) -> [f32; 3] {
    let mut forest = Forest::none(3, 3);
    forest.push(&Tree {
        questions: [0, 1, 2].map(|feature| (feature, 0.5)).to_vec(),
        leaves: leaves.to_vec(),
    });
    // Two candidates at the same place, and one where nothing changes.
    let mut parts = [[0.0; 3]; 3];
    let places = [to, 0, to];
    let mut candidates: Vec<(Vec<u8>, &mut [f32])> = { places.iter().zip(&mut parts) }
        .map(|(place, parts)| (vec![*place], &mut parts[..]))
        .collect();
    forest.divide(&[0], &players, &mut candidates);
    assert_eq!((parts[1], parts[2]), ([0.0; 3], parts[0]));
    parts[0]
}

#[test]
fn trees_are_divided_as_shapley_says() {
    let three = [0, 1, 2];
    let all_or_nothing = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    let third = 1.0 / 3.0;
    let near = |parts: [f32; 3], expected: [f32; 3]| {
        let far = parts.iter().zip(expected).any(|(a, b)| (a - b).abs() > 1e-6);
        assert!(!far, "{parts:?} is not {expected:?}");
    };
    near(divided(all_or_nothing, 7, three), [third; 3]);
    // The same player behind two questions moves both at once.
    near(divided(all_or_nothing, 7, [0, 0, 1]), [0.5, 0.5, 0.0]);
    // Whoever answers as before has no part.
    let first_and_second = [0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0];
    near(divided(first_and_second, 3, three), [1.0, 1.0, 0.0]);
    // Whoever changes no answer has none either, though it is asked.
    near(divided(first_and_second, 7, three), [1.0, 1.0, 0.0]);
    // By hand over the six orders.
    let weighted = [0.0, 2.0, 0.0, 3.0, 0.0, 3.0, 1.0, 3.0];
    near(divided(weighted, 7, three), [7.0 * third, third, third]);
}
