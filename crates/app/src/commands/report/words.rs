//! The words of the page: what was asked, what a measure means, what a difference says.

use reco::{PairedTest, Protocol, Report, SegmentOf};

/// Below it a difference is said to be one.
const LEVEL: f64 = 0.05;

/// `ndcg@10` as people write it.
pub fn label(metric: &str) -> String {
    let (name, depth) = metric.split_once('@').unwrap_or((metric, ""));
    let name = match name {
        "ndcg" => "NDCG",
        "recall" => "Recall",
        "hit_rate" => "Hit rate",
        "coverage" => "Coverage",
        "gini" => "Gini",
        "novelty" => "Novelty",
        "diversity" => "Diversity",
        "miscalibration" => "Miscalibration",
        other => other,
    };
    if depth.is_empty() {
        name.to_owned()
    } else {
        format!("{name}@{depth}")
    }
}

/// Whether a paired test is of the figure that models are compared by.
pub fn is_headline(report: &Report, test: &PairedTest) -> bool {
    test.metric == report.protocol.headline()[0]
}

/// `123456` as `123,456`.
pub fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

pub fn p_value(p: f64) -> String {
    if p < 0.001 {
        "p < 0.001".to_owned()
    } else {
        format!("p = {p:.3}")
    }
}

/// A paired test in one sentence.
pub fn comparison(name: &str, test: &PairedTest) -> String {
    let PairedTest {
        against, difference, ..
    } = test;
    let said = match test.p_value < LEVEL {
        true if *difference > 0.0 => format!("{name} is better than {against}"),
        true => format!("{name} is worse than {against}"),
        false => format!("{name} and {against} do not differ beyond chance"),
    };
    format!(
        "{said}: {difference:+.4} {} (95 % interval {:+.4} to {:+.4}), {}; better for {} viewers, worse for {}",
        label(&test.metric),
        test.interval.0,
        test.interval.1,
        p_value(test.p_value),
        count(test.better),
        count(test.worse)
    )
}

/// A protocol's name, what it asks in plain words, and where it is from.
pub fn protocol(protocol: Protocol) -> [&'static str; 3] {
    match protocol {
        Protocol::LastOut => [
            "What comes next (leave-last-out)",
            "Everybody's last title was taken away. Each model sees the rest of the viewer's history, in its order, and ranks all titles \
             that the viewer has not had. Does it put the missing title near the top?",
            "The protocol of SASRec (Kang & McAuley 2018), BERT4Rec (Sun et al. 2019) and gSASRec (Petrov & Macdonald 2023), with all \
             titles ranked and none sampled (Krichene & Rendle 2020).",
        ],
        Protocol::Strong => [
            "People never seen before (strong generalisation)",
            "Some viewers were kept out of training altogether. Each model is then shown four fifths of the titles of such a viewer, and \
             ranks all others. Does it find the last fifth?",
            "The protocol of variational autoencoders for collaborative filtering (Liang et al. 2018) and of EASE (Steck 2019).",
        ],
        Protocol::Temporal => [
            "Tomorrow, as a service sees it (one cut in time)",
            "The newest events of all viewers were taken away. Each model learned from everything before that moment and ranks, for each \
             viewer, all titles that they have not had. Does it find what they liked afterwards? New viewers and titles that nobody had \
             seen stay in, so nobody can find everything.",
            "A global split in time (Meng et al. 2020; Ji et al. 2023): no model learns from anybody's future.",
        ],
    }
}

/// What a measure says, for the page's last part.
pub fn meaning(metric: &str) -> &'static str {
    match metric.split('@').next().unwrap_or_default() {
        "ndcg" => {
            "How near the top the wanted titles stand; 1 is the best order there is. A title in place r counts 1 / log2(r + 1) \
             (Järvelin & Kekäläinen 2002)."
        }
        "recall" => "The share of the wanted titles among the first ones; 1 is all that could be there.",
        "hit_rate" => "The share of viewers with at least one wanted title among the first ones.",
        "coverage" => "The share of the whole catalogue that appears in anybody's list.",
        "gini" => "How unevenly titles are shown: 0 all alike, 1 one title alone (Fleder & Hosanagar 2009).",
        "novelty" => {
            "How unknown the shown titles are, in bits: one bit more is a title that half as many viewers have had (Vargas & Castells \
             2011)."
        }
        "diversity" => {
            "How different the titles of one list are, by what is known of them: 0 all alike, 1 nothing in common (Ziegler et al. 2005)."
        }
        "miscalibration" => {
            "How far a list's genres are from the viewer's own mix: 0 mirrors it, 4.6 is the most (Kullback–Leibler, Steck 2018). Lower \
             is better."
        }
        _ => "",
    }
}

/// What a model is, in a few words.
pub fn model(name: &str) -> &'static str {
    match name {
        "popularity" => "The same for everybody: what most viewers have had. What every other model has to beat.",
        "trending" => {
            "The same for everybody: what viewers have had lately, every event worth half as much after a while."
        }
        "ials" => "General taste: viewers and titles as points in a common space (matrix factorisation).",
        "ease" => "Which titles go together, in closed form.",
        "cooccurrence" => "What comes after what, by counting.",
        "content" => "What titles are: genres, years, words of their names. Knows also what nobody has seen.",
        "ranker" => "The blend of all others, learned on moments of the past. This is what a service uses.",
        _ => "",
    }
}

/// A heading for segments.
pub fn segments_of(of: SegmentOf) -> &'static str {
    match of {
        SegmentOf::Viewers => "Viewers by how much they had watched",
        SegmentOf::TitleAge => "Titles by how new they are",
        SegmentOf::TitlePopularity => "Titles by how popular they are",
    }
}
