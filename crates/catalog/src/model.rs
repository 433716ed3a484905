//! What the room keeps of a title, and what may become one: the rules of names, years, genres and ages.

use contract::{
    Millis, PersonId, TitleId,
    catalog::{
        Card, CatalogError, CreditRole, EpisodePlace, ExternalId, NewCredit, NewTitle, TitleFeatures, TitleKind, YEARS,
    },
};

const NAME_LETTERS_MAX: usize = 300;
const DESCRIPTION_LETTERS_MAX: usize = 10_000;
const GENRES_MAX: usize = 12;
const GENRE_LETTERS_MAX: usize = 40;
const CREDITS_MAX: usize = 200;
const PERSON_LETTERS_MAX: usize = 120;
const EXTERNAL_MAX: usize = 10;
const EXTERNAL_LETTERS_MAX: usize = 100;
const DURATION_MS_MAX: u64 = 48 * 3_600_000;

/// A title in memory: its card and what browsing, searching and recommending need besides.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub card: Card,
    /// The name as sorted: folded, without a leading article.
    pub sort_name: String,
    /// The name as compared: folded.
    pub folded_name: String,
    /// The name as searched: its words with single spaces.
    pub spoken_name: String,
    pub place: Option<EpisodePlace>,
    /// What the title itself says; the card of an episode is also judged by its series, see [`Entry::judged_by`].
    pub own_maturity: u8,
    pub own_published: bool,
    pub people: Vec<PersonId>,
    pub ratings_version: i64,
    /// Whether it has a video itself; a series is playable by its episodes.
    pub has_video: bool,
    /// Whether a curator gave it a picture; else both are drawn.
    pub uploaded: bool,
    pub created_at: Millis,
}

impl Entry {
    pub fn is_listed(&self) -> bool {
        self.card.kind != TitleKind::Episode
    }

    /// Maturity and whether it is published: an episode is for nobody whom its series is not for.
    pub fn judged_by(&self, series: &Card) -> (u8, bool) {
        (
            self.own_maturity.max(series.maturity),
            self.own_published && series.published,
        )
    }

    pub fn features(&self, episodes: Vec<TitleId>) -> TitleFeatures {
        let card = &self.card;
        TitleFeatures {
            id: card.id,
            kind: card.kind,
            name: card.name.to_string(),
            year: card.year,
            genres: card.genres.to_vec(),
            people: self.people.clone(),
            maturity: card.maturity,
            playable: card.playable,
            published: card.published,
            ratings_count: card.ratings_count,
            average_rating: card.average_rating,
            created_at: self.created_at,
            episodes,
        }
    }
}

pub fn kind_name(kind: TitleKind) -> &'static str {
    match kind {
        TitleKind::Film => "film",
        TitleKind::Series => "series",
        TitleKind::Episode => "episode",
    }
}

pub fn kind_of(name: &str) -> TitleKind {
    match name {
        "series" => TitleKind::Series,
        "episode" => TitleKind::Episode,
        _ => TitleKind::Film,
    }
}

pub fn role_name(role: CreditRole) -> &'static str {
    match role {
        CreditRole::Actor => "actor",
        CreditRole::Director => "director",
        CreditRole::Writer => "writer",
    }
}

pub fn role_of(name: &str) -> CreditRole {
    match name {
        "director" => CreditRole::Director,
        "writer" => CreditRole::Writer,
        _ => CreditRole::Actor,
    }
}

/// The youngest age a title of these genres is for, where nobody has said: the mean of what rating boards give such
/// films, erring on the older side. A genre that is made for children wins over all but horror and adult.
///
/// | genres | years |
/// |---|---|
/// | Adult | 18 |
/// | Horror | 16 |
/// | Animation, Children's, Family, Musical without a graver one | 0 to 6 |
/// | Crime, Thriller, War, Film-Noir | 14 |
/// | Action, Mystery, Sci-Fi, Western, Drama, Romance and anything unknown | 12 |
/// | Comedy, Adventure, Fantasy, History, Biography, Sport, Music, Documentary, Short, News | 10, or 6 |
pub fn estimated_maturity(genres: &[String]) -> u8 {
    let has = |names: &[&str]| {
        genres
            .iter()
            .any(|genre| names.iter().any(|name| genre.eq_ignore_ascii_case(name)))
    };
    let grave = has(&["crime", "thriller", "war", "film-noir", "film noir"]);
    if has(&["adult"]) {
        18
    } else if has(&["horror"]) {
        16
    } else if has(&["children's", "children", "kids"]) {
        0
    } else if has(&["family"]) || (has(&["animation"]) && !grave && !has(&["drama"])) {
        6
    } else if grave {
        14
    } else if has(&[
        "action",
        "mystery",
        "sci-fi",
        "science fiction",
        "western",
        "drama",
        "romance",
    ]) {
        12
    } else if has(&["comedy", "adventure", "fantasy", "history", "biography", "sport"]) {
        10
    } else if has(&["musical", "music", "documentary", "short", "news", "animation"]) {
        6
    } else {
        12
    }
}

/// Puts a new title in order, or says what is wrong with it.
pub fn checked(mut title: NewTitle) -> Result<NewTitle, CatalogError> {
    title.name = checked_name(&title.name)?;
    title.original_name = title
        .original_name
        .map(|name| tidy(&name))
        .filter(|name| !name.is_empty() && *name != title.name);
    if title
        .original_name
        .as_ref()
        .is_some_and(|name| name.chars().count() > NAME_LETTERS_MAX)
    {
        return Err(invalid(format!(
            "the original name has more than {NAME_LETTERS_MAX} letters"
        )));
    }
    title.genres = checked_genres(title.genres)?;
    check_facts(title.year, title.maturity, title.duration_ms, &title.description)?;
    title.credits = checked_credits(title.credits)?;
    match (title.kind, title.place) {
        (TitleKind::Episode, None) => return Err(invalid("an episode needs its series, season and number")),
        (TitleKind::Film | TitleKind::Series, Some(_)) => return Err(invalid("only an episode stands in a series")),
        _ => {}
    }
    check_external(&title.external)?;
    Ok(title)
}

pub fn checked_name(name: &str) -> Result<String, CatalogError> {
    let name = tidy(name);
    match name.chars().count() {
        0 => Err(invalid("a title needs a name")),
        letters if letters > NAME_LETTERS_MAX => {
            Err(invalid(format!("the name has more than {NAME_LETTERS_MAX} letters")))
        }
        _ => Ok(name),
    }
}

pub fn checked_genres(genres: Vec<String>) -> Result<Vec<String>, CatalogError> {
    let mut kept: Vec<String> = Vec::with_capacity(genres.len());
    for genre in genres {
        let genre = tidy(&genre);
        if genre.chars().count() > GENRE_LETTERS_MAX {
            return Err(invalid(format!("a genre has more than {GENRE_LETTERS_MAX} letters")));
        }
        if !genre.is_empty() && !kept.iter().any(|other| other.eq_ignore_ascii_case(&genre)) {
            kept.push(genre);
        }
    }
    if kept.len() > GENRES_MAX {
        return Err(invalid(format!("more than {GENRES_MAX} genres")));
    }
    Ok(kept)
}

pub fn check_facts(
    year: Option<u16>,
    maturity: Option<u8>,
    duration_ms: Option<u64>,
    description: &str,
) -> Result<(), CatalogError> {
    if year.is_some_and(|year| !YEARS.contains(&year)) {
        let (first, last) = YEARS.into_inner();
        return Err(invalid(format!("the year lies outside of {first} to {last}")));
    }
    if maturity.is_some_and(|age| age > 18) {
        return Err(invalid("maturity is an age of 0 to 18 years"));
    }
    if duration_ms.is_some_and(|duration| duration == 0 || duration > DURATION_MS_MAX) {
        return Err(invalid("the duration is nothing or more than 48 hours"));
    }
    if description.chars().count() > DESCRIPTION_LETTERS_MAX {
        return Err(invalid(format!(
            "the description has more than {DESCRIPTION_LETTERS_MAX} letters"
        )));
    }
    Ok(())
}

pub fn checked_credits(credits: Vec<NewCredit>) -> Result<Vec<NewCredit>, CatalogError> {
    if credits.len() > CREDITS_MAX {
        return Err(invalid(format!("more than {CREDITS_MAX} credits")));
    }
    credits
        .into_iter()
        .map(|credit| match tidy(&credit.name) {
            name if name.is_empty() || name.chars().count() > PERSON_LETTERS_MAX => Err(invalid(format!(
                "a person's name has 1 to {PERSON_LETTERS_MAX} letters"
            ))),
            name => Ok(NewCredit { name, ..credit }),
        })
        .collect()
}

fn check_external(external: &[ExternalId]) -> Result<(), CatalogError> {
    let fits = |text: &str| (1..=EXTERNAL_LETTERS_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
    if external.len() > EXTERNAL_MAX || !external.iter().all(|id| fits(&id.source) && fits(&id.id)) {
        return Err(invalid(format!(
            "at most {EXTERNAL_MAX} external ids of 1 to {EXTERNAL_LETTERS_MAX} letters"
        )));
    }
    Ok(())
}

pub fn invalid(text: impl Into<String>) -> CatalogError {
    CatalogError::TitleInvalid(text.into())
}

/// Single spaces, no control characters.
fn tidy(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A digest that stays the same over versions of the program and of Rust (FNV-1a, 64 bits).
pub fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Ids of a batch, as SQL takes them: a JSON array for SQLite.
pub fn json_ids(ids: &[TitleId]) -> String {
    let numbers: Vec<String> = ids.iter().map(|id| id.0.to_string()).collect();
    format!("[{}]", numbers.join(","))
}
