//! From words to a query: every word must match somewhere, each where it matches best.

use tantivy::{
    Term,
    query::{BooleanQuery, ConstScoreQuery, DisjunctionMaxQuery, FuzzyTermQuery, Occur, Query, TermQuery},
    schema::{Field, IndexRecordOption},
};

/// The words of a query that count.
const WORDS_MAX: usize = 8;
const WORD_LETTERS_MAX: usize = 40;
/// From this length on a word may have a typo; a shorter one would match anything.
const TYPO_LETTERS_MIN: usize = 4;

/// Where words stand.
#[derive(Debug, Clone, Copy)]
pub struct Fields {
    pub name: Field,
    pub original: Field,
    pub person: Field,
    pub genre: Field,
}

/// A field and what its matches are worth.
type Worth = (fn(&Fields) -> Field, [f32; 3]);

/// How much a match is worth, out of 1: as the word, as its beginning, with a typo.
const WORTH: [Worth; 4] = [
    (|fields| fields.name, [1.0, 0.8, 0.5]),
    (|fields| fields.original, [0.85, 0.65, 0.4]),
    (|fields| fields.person, [0.75, 0.55, 0.32]),
    (|fields| fields.genre, [0.55, 0.4, 0.2]),
];

/// `open`: the last word may be the beginning of one.
pub fn build(fields: &Fields, words: &[String], open: bool) -> BooleanQuery {
    let last = words.len().min(WORDS_MAX) - 1;
    let clauses = words.iter().take(WORDS_MAX).enumerate().map(|(place, word)| {
        let word: String = word.chars().take(WORD_LETTERS_MAX).collect();
        (Occur::Must, word_query(fields, &word, open && place == last))
    });
    BooleanQuery::new(clauses.collect())
}

fn word_query(fields: &Fields, word: &str, open: bool) -> Box<dyn Query> {
    let letters = word.chars().count();
    let mut ways: Vec<Box<dyn Query>> = Vec::with_capacity(12);
    for (field, [exact, beginning, typo]) in WORTH {
        let term = Term::from_field_text(field(fields), word);
        ways.push(worth(TermQuery::new(term.clone(), IndexRecordOption::Basic), exact));
        if open {
            ways.push(worth(FuzzyTermQuery::new_prefix(term.clone(), 0, true), beginning));
        }
        if letters >= TYPO_LETTERS_MIN {
            ways.push(worth(FuzzyTermQuery::new(term.clone(), 1, true), typo));
        }
        if open && letters > TYPO_LETTERS_MIN {
            ways.push(worth(FuzzyTermQuery::new_prefix(term, 1, true), typo * 0.8));
        }
    }
    Box::new(DisjunctionMaxQuery::new(ways))
}

fn worth(query: impl Query, score: f32) -> Box<dyn Query> {
    Box::new(ConstScoreQuery::new(Box::new(query), score))
}
