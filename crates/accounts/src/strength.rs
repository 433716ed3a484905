//! Which passwords are refused. No rules of composition (NIST SP 800-63B, 3.1.1): long, and not made of what everybody tries.
//!
//! A password counts as many *surprises* as it has parts that a guesser would not get for nothing. A part is one character, but
//! these count as a single one: a common word of passwords, the person's own address or name, the product's name, a run of the same
//! or neighbouring characters (`1111`, `4321`, `qwertz`). A password that is a shorter one repeated counts as the shorter one. So
//! `password1234567` has two surprises, `kinorakinora2024` six, `correct horse battery` twenty-one.
//! This stands in for a list of breached passwords, which would have to be downloaded.

const CHARS_MIN: usize = 15;
const CHARS_MAX: usize = 128;
const SURPRISES_MIN: usize = 8;
/// Shorter own words (a local part such as `jo`) would hit by chance.
const OWN_CHARS_MIN: usize = 3;
const RUN_CHARS_MIN: usize = 3;

/// The words that most common passwords are built from, in several languages, and ours.
const WORDS: &[&str] = &[
    "kinora",
    "password",
    "passwort",
    "passwd",
    "motdepasse",
    "contrasena",
    "senha",
    "parola",
    "haslo",
    "secret",
    "geheim",
    "letmein",
    "welcome",
    "willkommen",
    "bienvenue",
    "admin",
    "administrator",
    "root",
    "user",
    "login",
    "guest",
    "test",
    "hello",
    "hallo",
    "bonjour",
    "iloveyou",
    "loveyou",
    "love",
    "princess",
    "sunshine",
    "monkey",
    "dragon",
    "master",
    "shadow",
    "superman",
    "batman",
    "spiderman",
    "pokemon",
    "starwars",
    "football",
    "fussball",
    "baseball",
    "basketball",
    "soccer",
    "hockey",
    "liverpool",
    "chelsea",
    "arsenal",
    "barcelona",
    "juventus",
    "michael",
    "michelle",
    "jessica",
    "jordan",
    "daniel",
    "ashley",
    "andrew",
    "thomas",
    "charlie",
    "summer",
    "winter",
    "spring",
    "autumn",
    "sommer",
    "january",
    "february",
    "monday",
    "friday",
    "sunday",
    "flower",
    "chocolate",
    "cookie",
    "cheese",
    "banana",
    "computer",
    "internet",
    "samsung",
    "google",
    "facebook",
    "netflix",
    "youtube",
    "jellyfin",
    "whatever",
    "trustno",
    "access",
    "changeme",
    "default",
    "mustang",
    "ferrari",
    "mercedes",
    "freedom",
    "abcdef",
    "abc",
    "qaz",
    "wsx",
    "asdf",
    "zxcv",
];
/// Neighbours on keyboards; the alphabet and the digits are found by their codes.
const KEYBOARD_ROWS: &[&str] = &[
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "yxcvbnm",
];

/// Why a password is refused, in words for the person who chose it.
pub fn refuse(password: &str, email: &str, name: &str) -> Option<String> {
    let length = password.chars().count();
    if length < CHARS_MIN {
        return Some(format!(
            "a password has at least {CHARS_MIN} characters; a few words in a row make a good one"
        ));
    }
    if length > CHARS_MAX {
        return Some(format!("a password has at most {CHARS_MAX} characters"));
    }
    if surprises(password, email, name) < SURPRISES_MIN {
        return Some("this password is too easy to guess; a few unrelated words in a row make a good one".into());
    }
    None
}

fn surprises(password: &str, email: &str, name: &str) -> usize {
    let lower: Vec<char> = password.to_lowercase().chars().collect();
    let text = shortest_period(&lower);
    let own = own_words(email, name);
    let words: Vec<Vec<char>> = WORDS
        .iter()
        .copied()
        .map(str::to_owned)
        .chain(own)
        .map(|word| word.chars().collect())
        .collect();
    let mut at = 0;
    let mut count = 0;
    while at < text.len() {
        let word = words
            .iter()
            .filter(|word| text[at..].starts_with(word))
            .map(Vec::len)
            .max()
            .unwrap_or(0);
        at += word.max(run(&text[at..])).max(1);
        count += 1;
    }
    count
}

/// The unit of a text that is one unit repeated, possibly cut; the text itself otherwise.
fn shortest_period(text: &[char]) -> &[char] {
    let is_period = |period: &usize| text.iter().zip(&text[*period..]).all(|(a, b)| a == b);
    (1..=text.len() / 2)
        .find(is_period)
        .map_or(text, |period| &text[..period])
}

/// How long the run of same or neighbouring characters at the start is; 1 when it is no run.
fn run(text: &[char]) -> usize {
    let by_step = |step: i64| {
        let steps = text
            .windows(2)
            .take_while(|pair| pair[1] as i64 - pair[0] as i64 == step);
        steps.count() + 1
    };
    let longest = [0, 1, -1]
        .into_iter()
        .map(by_step)
        .chain([on_keyboard(text)])
        .max()
        .unwrap_or(1);
    if longest >= RUN_CHARS_MIN { longest } else { 1 }
}

fn on_keyboard(text: &[char]) -> usize {
    let along = |row: Vec<char>| {
        let neighbours = |pair: &&[char]| row.windows(2).any(|keys| keys == *pair);
        text.windows(2).take_while(neighbours).count() + 1
    };
    let rows = KEYBOARD_ROWS
        .iter()
        .flat_map(|row| [row.chars().collect(), row.chars().rev().collect::<Vec<_>>()]);
    rows.map(along).max().unwrap_or(1)
}

fn own_words(email: &str, name: &str) -> Vec<String> {
    let split = |text: &str| {
        text.to_lowercase()
            .split(|c: char| !c.is_alphanumeric())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let whole = [email.to_lowercase(), name.to_lowercase()];
    let mut words: Vec<String> = whole.into_iter().chain(split(email)).chain(split(name)).collect();
    words.retain(|word| word.chars().count() >= OWN_CHARS_MIN);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(password: &str) -> bool {
        refuse(password, "lea.martin@example.org", "Léa Martin").is_some()
    }

    #[test]
    fn what_everybody_tries_is_refused() {
        for password in [
            "short",
            "fourteen chars",
            "aaaaaaaaaaaaaaaaaaaa",
            "123456789012345678",
            "password12345678",
            "PassWord!PassWord!",
            "qwertyuiopasdfghjkl",
            "qwertzuiop1234567",
            "abcabcabcabcabcabc",
            "kinorakinora2024",
            "lea.martin@example.org",
            "LeaMartin2024LeaMartin2024",
            "Léa Martin 12345",
            "iloveyouiloveyou!",
            "987654321987654321",
            "zyxwvutsrqponmlkj",
            "Summer2024Summer2024",
            "adminadminadmin1",
            "               ",
            "letmein letmein 1234",
        ] {
            assert!(
                refused(password),
                "{password} has {} surprises",
                surprises(password, "lea.martin@example.org", "Léa Martin")
            );
        }
        assert!(refused(&"xk7 ".repeat(40)));
    }

    #[test]
    fn what_people_can_remember_is_taken() {
        for password in [
            "correct horse battery",
            "un train bleu traverse la nuit",
            "mein Hund heißt Waldo",
            "8f3kq0z7vm2xw5c",
            "昨日の夜に見た映画はとても良かった",
            "popcorn and a quiet evening",
            "🦊 over the lazy river!",
        ] {
            assert!(
                !refused(password),
                "{password} has {} surprises",
                surprises(password, "", "")
            );
        }
    }

    #[test]
    fn surprises_are_counted_as_described() {
        for (password, count) in [
            ("password1234567", 2),
            ("kinorakinora2024", 6),
            ("correct horse battery", 21),
            ("abababab", 2),
            ("", 0),
        ] {
            assert_eq!(surprises(password, "", ""), count, "{password}");
        }
    }

    proptest::proptest! {
        #[test]
        fn there_are_never_more_surprises_than_characters(password in "\\PC{0,140}", email in "\\PC{0,20}", name in "\\PC{0,20}") {
            let count = surprises(&password, &email, &name);
            proptest::prop_assert!(count <= password.to_lowercase().chars().count());
            refuse(&password, &email, &name);
        }
    }
}
