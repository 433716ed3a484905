//! Every layout, good and bad, and the real data sets where they are at hand.

use std::fs;

use testkit::datasets::real;

use super::*;

/// Writes the files, reads the folder.
fn read_these(files: &[(&str, &[u8])]) -> Result<Dataset> {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    read(&[folder.path().to_owned()])
}

fn error_of(files: &[(&str, &[u8])]) -> String {
    read_these(files).expect_err("it should have been refused").to_string()
}

const MOVIES_1M: &[u8] = b"1::Toy Story (1995)::Animation|Children's|Comedy\n2::Matrix, The (1999)::Action|Sci-Fi\n";
const RATINGS_1M: &[u8] = b"7::1::5::978300760\n7::2::3::978300700\n9::2::1::978300800\n";

#[test]
fn movielens_1m_is_read() {
    let dataset = read_these(&[("movies.dat", MOVIES_1M), ("ratings.dat", RATINGS_1M)]).unwrap();
    assert_eq!(dataset.layout, Layout::Movielens1m);
    assert_eq!(dataset.viewers, ["7", "9"]);
    assert_eq!(
        dataset.films[1].name,
        Name {
            name: "The Matrix".into(),
            other: None,
            year: Some(1999)
        }
    );
    let rating = |viewer, film, at_s, half_stars| Rating {
        viewer,
        film,
        at_s,
        half_stars,
    };
    // By viewer, then time.
    assert_eq!(
        dataset.ratings,
        [
            rating(0, 1, 978_300_700, 6),
            rating(0, 0, 978_300_760, 10),
            rating(1, 1, 978_300_800, 2)
        ]
    );
}

#[test]
fn latin1_and_utf8_are_told_apart() {
    let latin1: &[u8] = b"1::L\xE9on (1994)::Drama\n2::Fabuleux destin d'Am\xE9lie Poulain, Le (2001)::Comedy\n";
    let dataset = read_these(&[("movies.dat", latin1), ("ratings.dat", RATINGS_1M)]).unwrap();
    assert_eq!(dataset.films[0].name.name, "Léon");
    assert_eq!(dataset.films[1].name.name, "Le Fabuleux destin d'Amélie Poulain");
    let utf8 = "1::Léon (1994)::Drama\n2::Amélie (2001)::Comedy\n";
    let dataset = read_these(&[("movies.dat", utf8.as_bytes()), ("ratings.dat", RATINGS_1M)]).unwrap();
    assert_eq!(dataset.films[1].name.name, "Amélie");
}

#[test]
fn two_encodings_in_one_file_are_refused() {
    let mixed: &[u8] = b"1::L\xE9on (1994)::Drama\n2::Am\xC3\xA9lie (2001)::Comedy\n";
    let said = error_of(&[("movies.dat", mixed), ("ratings.dat", RATINGS_1M)]);
    assert!(said.contains("movies.dat, line 2") && said.contains("partly"), "{said}");
}

#[test]
fn the_same_line_twice_is_a_duplicate() {
    let movies = b"0110413::Leon (1994)::Crime|Drama\n0110413::Leon (1994)::Crime|Drama\n";
    let ratings = b"1::0110413::7::1365029107\n1::0110413::7::1365029107\n";
    let dataset = read_these(&[("movies.dat", movies), ("ratings.dat", ratings)]).unwrap();
    assert_eq!(
        (dataset.films.len(), dataset.ratings.len(), dataset.duplicates),
        (1, 1, 2)
    );
    assert_eq!(dataset.films[0].imdb.as_deref(), Some("0110413"));
}

#[test]
fn a_quote_that_is_not_closed_is_refused() {
    let movies = b"movieId,title,genres\n1,\"Matrix, The (1999),Action\n2,\"Ran\",Drama\n3,Up (2009),Drama\n";
    let ratings = b"userId,movieId,rating,timestamp\n1,3,4.5,1147880044\n";
    let said = error_of(&[("movies.csv", movies), ("ratings.csv", ratings)]);
    assert!(said.contains("movies.csv, line 2"), "{said}");
    let over_two = b"movieId,title,genres\n1,\"Ran\n (1985)\",Drama\n3,Up (2009),Drama\n";
    let said = error_of(&[("movies.csv", over_two), ("ratings.csv", ratings)]);
    assert!(said.contains("line 2") && said.contains("quote"), "{said}");
}

#[test]
fn what_is_for_evaluation_only_is_not_imported() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ml-1m_sas_order.txt"), "1 1\n1 2\n").unwrap();
    let paths = [folder.path().to_owned()];
    assert!(read(&paths).is_ok());
    let said = read_as(DatasetKind::Movielens, &paths).unwrap_err().to_string();
    assert!(said.contains("can be evaluated and not imported"), "{said}");
}

#[test]
fn movietweetings_is_read() {
    let movies = "0110413::Léon (1994)::Crime|Drama\n0133093::The Matrix (1999)::Action|Sci-Fi\n";
    let ratings = b"1::0110413::0::1365029107\n1::0133093::10::1365029108\n";
    let dataset = read_these(&[("movies.dat", movies.as_bytes()), ("ratings.dat", ratings)]).unwrap();
    assert_eq!(dataset.layout, Layout::Movietweetings);
    assert_eq!(dataset.films[0].imdb.as_deref(), Some("0110413"));
    assert_eq!(
        dataset
            .ratings
            .iter()
            .map(|rating| rating.half_stars)
            .collect::<Vec<_>>(),
        [1, 10]
    );
}

#[test]
fn csv_with_quotes_and_a_byte_order_mark_is_read() {
    let movies = "\u{FEFF}movieId,title,genres\n1,\"Matrix, The (1999)\",Action|Sci-Fi\n2,\"He said \"\"no\"\" (2001)\",(no genres listed)\n";
    let ratings = b"userId,movieId,rating,timestamp\n1,1,4.5,1147880044\n1,2,0.5,1147880045\n";
    let links = b"movieId,imdbId,tmdbId\n1,0133093,603\n2,,\n";
    let files: [(&str, &[u8]); 3] = [
        ("movies.csv", movies.as_bytes()),
        ("ratings.csv", ratings),
        ("links.csv", links),
    ];
    let dataset = read_these(&files).unwrap();
    assert_eq!(dataset.films[0].imdb.as_deref(), Some("0133093"));
    assert_eq!(dataset.films[1].name.name, "He said \"no\"");
    assert!(dataset.films[1].genres.is_empty());
    assert_eq!(dataset.ratings[0].half_stars, 9);
}

#[test]
fn movielens_100k_is_read_in_both_layouts() {
    let flags = |on: usize| {
        (0..19)
            .map(|at| if at == on { "1" } else { "0" })
            .collect::<Vec<_>>()
            .join("|")
    };
    let item = format!(
        "1|Toy Story (1995)|01-Jan-1995||http://x|{}\n2|Mis\u{e9}rables, Les (1995)|||http://y|{}\n",
        flags(3),
        flags(8)
    );
    let item: Vec<u8> = item.chars().map(|letter| letter as u8).collect();
    let data = b"196\t1\t3\t881250949\n186\t2\t4\t891717742\n";
    let original = read_these(&[("u.item", &item), ("u.data", data)]).unwrap();
    assert_eq!(original.films[1].name.name, "Les Misérables");
    assert_eq!(original.films[1].genres, ["Drama"]);
    let inter =
        b"user_id:token\titem_id:token\trating:float\ttimestamp:float\n196\t1\t3\t881250949\n186\t2\t4\t891717742\n";
    let atoms = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n1\tToy Story\t1995\tAnimation\n2\tMisérables, Les\t1995\tDrama\n";
    let atomic = read_these(&[("ml-100k.inter", inter), ("ml-100k.item", atoms.as_bytes())]).unwrap();
    assert_eq!((atomic.films, atomic.ratings), (original.films, original.ratings));
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let movies = ("movies.dat", MOVIES_1M);
    for (ratings, expected) in [
        (
            &b"7::1::5::978300760\n7::2\n"[..],
            "ratings.dat, line 2: there are not the four fields",
        ),
        (b"7::1::6::978300760\n", "line 1: \"6\" is not a rating"),
        (b"7::1::0::978300760\n", "\"0\" is not a rating"),
        (b"7::1::five::978300760\n", "\"five\" is not a rating"),
        (b"7::3::5::978300760\n", "there is no film \"3\""),
        (b"7::1::5::97830\n", "is not a time"),
        (
            b"7::1::5::978300760\n7::2::3::9783007",
            "line 2: the last line has no line end: the file was cut short",
        ),
        (b"7::1::5::978300760::1\n", "line 1: there are not the four fields"),
        (
            b"\xFF::1::5::978300760\n",
            "line 1: there is something other than numbers",
        ),
        (b"::1::5::978300760\n", "is not the id of a viewer"),
    ] {
        let error = error_of(&[movies, ("ratings.dat", ratings)]);
        assert!(error.contains(expected), "{error}");
    }
    for (movies, expected) in [
        (
            &b"1::Toy Story (1995)\n"[..],
            "movies.dat, line 1: there are not the three fields",
        ),
        (
            b"1::Toy Story (1995)::Comedy\n1::Other (1995)::Comedy\n",
            "line 2: film 1 is here a second time",
        ),
        (
            b"1::Toy Story (1995)::Comedy\n2::Other (1995)::Com",
            "line 2: the last line has no line end",
        ),
        (
            b"1::L\x85on (1994)::Drama\n",
            "line 1: the text is neither UTF-8 nor ISO 8859-1",
        ),
        (b"", "there is no film in it"),
    ] {
        let error = error_of(&[("movies.dat", movies), ("ratings.dat", RATINGS_1M)]);
        assert!(error.contains(expected), "{error}");
    }
    let twice = "1::Toy Story (1995)::Comedy\n2::LÃ©on (1994)::Drama\n";
    let error = error_of(&[("movies.dat", twice.as_bytes()), ("ratings.dat", RATINGS_1M)]);
    assert!(error.contains("line 2: the text was encoded twice"), "{error}");
    let imdb = b"0110413::L\xE9on (1994)::Crime\n";
    let error = error_of(&[("movies.dat", imdb), ("ratings.dat", b"1::0110413::5::1365029107\n")]);
    assert!(error.contains("line 1: the text is not UTF-8"), "{error}");
    assert!(error_of(&[("notes.txt", b"hello\n")]).contains("no known data set"));
    assert!(error_of(&[("movies.dat", MOVIES_1M)]).contains("ratings.dat is missing"));
}

#[test]
fn the_same_line_twice_is_counted_and_the_newest_rating_stands() {
    let movies: &[u8] = b"1::Toy Story (1995)::Comedy\n1::Toy Story (1995)::Comedy\n";
    let ratings = b"7::1::5::978300760\n7::1::5::978300760\n7::1::2::978300999\n";
    let dataset = read_these(&[("movies.dat", movies), ("ratings.dat", ratings)]).unwrap();
    assert_eq!(dataset.duplicates, 3);
    assert_eq!(
        dataset.ratings,
        [Rating {
            viewer: 0,
            film: 0,
            at_s: 978_300_999,
            half_stars: 4
        }]
    );
}

#[test]
fn uploads_without_names_are_known_by_content() {
    let folder = tempfile::tempdir().unwrap();
    let movies = "movieId,title,genres\n1,\"Matrix, The (1999)\",Action\n";
    let pairs: [[&[u8]; 2]; 4] = [
        [RATINGS_1M, MOVIES_1M],
        [b"userId,movieId,rating,timestamp\n1,1,4.5,1147880044\n", movies.as_bytes()],
        [b"1\t1\t4\t881250949\n", b"1|L\xE9on (1994)|01-Jan-1994|||0|1|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0\n"],
        [
            b"user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t1\t4\t881250949\n",
            b"item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n1\tunkonwn\tunkonwn\tunknown\n",
        ],
    ];
    for (number, pair) in pairs.into_iter().enumerate() {
        let paths = [0, 1].map(|side| folder.path().join(format!("3kx{number}{side}")));
        for (path, content) in paths.iter().zip(pair) {
            fs::write(path, content).unwrap();
        }
        assert!(!read(&paths).unwrap().ratings.is_empty(), "pair {number}");
        fs::write(&paths[0], [pair[0], b"1"].concat()).unwrap();
        let error = read(&paths).unwrap_err().to_string();
        assert!(error.contains("cut short") && !error.contains("3kx"), "{error}");
    }
    fs::write(folder.path().join("note"), "hello\n").unwrap();
    assert!(read(&[folder.path().join("note")]).is_err());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    /// A file with any byte altered or cut anywhere is read or refused, never a panic.
    #[test]
    fn damaged_files_do_no_harm(at in 0usize..200, byte: u8, cut: bool, of_movies: bool) {
        let mut files = [("movies.dat", MOVIES_1M.to_vec()), ("ratings.dat", RATINGS_1M.to_vec())];
        let content = &mut files[usize::from(!of_movies)].1;
        let at = at % content.len();
        content[at] = byte;
        if cut {
            content.truncate(at);
        }
        let files = files.each_ref().map(|(name, content)| (*name, content.as_slice()));
        let _ = read_these(&files);
    }
}

#[test]
fn a_line_has_a_limit() {
    let mut ratings = vec![b'7'; 1 << 20];
    ratings.push(b'\n');
    let error = error_of(&[("movies.dat", MOVIES_1M), ("ratings.dat", &ratings)]);
    assert!(error.contains("line 1: the line is longer"), "{error}");
}

fn counts_are(name: &str, layout: Layout, [films, viewers, ratings]: [usize; 3]) {
    let dataset = read(&[real(name)]).unwrap();
    assert_eq!(dataset.layout, layout);
    assert_eq!(
        [dataset.films.len(), dataset.viewers.len(), dataset.ratings.len()],
        [films, viewers, ratings]
    );
}

#[test]
#[ignore = "needs the data set ml-100k"]
fn ml_100k_is_read_whole() {
    counts_are("ml-100k", Layout::RecboleAtomic, [1_682, 943, 100_000]);
}

#[test]
#[ignore = "needs the data set movietweetings-100k"]
fn movietweetings_is_read_whole() {
    counts_are("movietweetings-100k", Layout::Movietweetings, [10_506, 16_554, 100_000]);
}

#[test]
#[ignore = "needs the data set ml-1m"]
fn ml_1m_is_read_whole() {
    counts_are("ml-1m", Layout::Movielens1mPreprocessed, [3_416, 6_040, 999_611]);
}

#[test]
#[ignore = "needs the data set ml-100k"]
fn ml_100k_names_are_right() {
    let dataset = read(&[real("ml-100k")]).unwrap();
    let name = |id: &str| {
        dataset
            .films
            .iter()
            .find(|film| film.id == id)
            .map(|film| film.name.name.as_str())
    };
    assert_eq!(name("12"), Some("The Usual Suspects"));
    assert_eq!(name("543"), Some("Les Misérables"));
}

#[test]
#[ignore = "needs the data set ml-1m"]
fn ml_1m_brings_its_strong_split_along() {
    let strong = read(&[real("ml-1m")]).unwrap().strong.unwrap();
    assert_eq!(
        (strong.train.len(), strong.validation.len(), strong.test.len()),
        (4_840, 600, 600)
    );
    assert!(
        strong
            .test
            .iter()
            .all(|fold| !fold.known.is_empty() && !fold.targets.is_empty())
    );
}
