//! The people of one account.

use contract::{
    Done,
    accounts::{
        Account, AccountsError, CreateProfile, ForProfile, MATURITY_ANY, MATURITY_KIDS, PREFERENCE_CHARS_MAX,
        PREFERRED_GENRES_MAX, PREFERRED_LANGUAGES_MAX, PROFILES_MAX, Preferences, Profile, UpdateProfile,
    },
    events::EventBody,
};

use crate::{service::Local, words};

/// The page's drawings, given out in turn to profiles that choose none.
const AVATARS: [&str; PROFILES_MAX] = ["amber", "coral", "jade", "indigo", "plum"];
const AVATAR_BYTES_MAX: usize = 40;
const CONTENT_TYPES: [&str; 2] = ["film", "series"];

/// The profile that an account begins with.
pub fn first(room: &Local, account: &Account) -> Profile {
    Profile {
        id: room.inputs.id(),
        account: account.id,
        name: account.name.clone(),
        avatar: AVATARS[0].into(),
        kids: false,
        maturity_max: MATURITY_ANY,
        preferences: Preferences::default(),
        onboarded: false,
        created_at: account.created_at,
    }
}

pub async fn create(room: &Local, req: CreateProfile) -> Result<Profile, AccountsError> {
    let mut tx = room.store.db.begin().await?;
    room.store
        .lock_account(&mut tx, req.account)
        .await?
        .ok_or(AccountsError::AccountNotFound)?;
    let count = room.store.profiles_in(&mut tx, req.account).await?.len();
    if count >= PROFILES_MAX {
        return Err(AccountsError::TooManyProfiles);
    }
    let profile = checked(Profile {
        id: room.inputs.id(),
        account: req.account,
        name: req.name,
        avatar: req.avatar.unwrap_or_else(|| AVATARS[count % AVATARS.len()].into()),
        kids: req.kids,
        maturity_max: req.maturity_max.unwrap_or(highest(req.kids)),
        preferences: req.preferences,
        onboarded: false,
        created_at: room.now_ms(),
    })?;
    room.store.insert_profile(&mut tx, &profile).await?;
    room.tell(
        &mut tx,
        EventBody::ProfileCreated {
            account: profile.account,
            profile: profile.id,
        },
    )
    .await?;
    tx.commit().await?;
    Ok(profile)
}

pub async fn update(room: &Local, req: UpdateProfile) -> Result<Profile, AccountsError> {
    let mut tx = room.store.db.begin().await?;
    room.store
        .lock_account(&mut tx, req.account)
        .await?
        .ok_or(AccountsError::AccountNotFound)?;
    let profiles = room.store.profiles_in(&mut tx, req.account).await?;
    let old = profiles
        .into_iter()
        .find(|profile| profile.id == req.profile)
        .ok_or(AccountsError::ProfileNotFound)?;
    let kids = req.kids.unwrap_or(old.kids);
    // Who changes only whether it is a child's profile means the limit that goes with it.
    let kept = if kids == old.kids {
        old.maturity_max
    } else {
        highest(kids)
    };
    let profile = checked(Profile {
        name: req.name.unwrap_or(old.name),
        avatar: req.avatar.unwrap_or(old.avatar),
        kids,
        maturity_max: req.maturity_max.unwrap_or(kept),
        preferences: req.preferences.unwrap_or(old.preferences),
        onboarded: req.onboarded.unwrap_or(old.onboarded),
        ..old
    })?;
    room.store.update_profile(&mut tx, &profile).await?;
    room.tell(
        &mut tx,
        EventBody::ProfileChanged {
            account: profile.account,
            profile: profile.id,
        },
    )
    .await?;
    tx.commit().await?;
    Ok(profile)
}

pub async fn delete(room: &Local, req: ForProfile) -> Result<Done, AccountsError> {
    let mut tx = room.store.db.begin().await?;
    room.store
        .lock_account(&mut tx, req.account)
        .await?
        .ok_or(AccountsError::AccountNotFound)?;
    let profiles = room.store.profiles_in(&mut tx, req.account).await?;
    if !profiles.iter().any(|profile| profile.id == req.profile) {
        return Err(AccountsError::ProfileNotFound);
    }
    if profiles.len() == 1 {
        return Err(AccountsError::LastProfile);
    }
    room.store.delete_profile(&mut tx, req.profile).await?;
    room.tell(
        &mut tx,
        EventBody::ProfileDeleted {
            account: req.account,
            profile: req.profile,
        },
    )
    .await?;
    tx.commit().await?;
    Ok(Done {})
}

fn highest(kids: bool) -> u8 {
    if kids { MATURITY_KIDS } else { MATURITY_ANY }
}

/// The profile in the form it is kept in, or why it cannot be.
fn checked(profile: Profile) -> Result<Profile, AccountsError> {
    let invalid = |reason: String| Err(AccountsError::ProfileInvalid(reason));
    let name = words::name(&profile.name)?;
    let slug = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if profile.avatar.is_empty() || profile.avatar.len() > AVATAR_BYTES_MAX || !profile.avatar.bytes().all(slug) {
        return invalid("an avatar is the name of one of the drawings".into());
    }
    let highest = highest(profile.kids);
    if profile.maturity_max > highest {
        let whose = if profile.kids { "a kids profile" } else { "a profile" };
        return invalid(format!("the maturity limit of {whose} is at most {highest}"));
    }
    match wrong_preference(&profile.preferences) {
        Some(reason) => invalid(reason),
        None => Ok(Profile { name, ..profile }),
    }
}

fn wrong_preference(preferences: &Preferences) -> Option<String> {
    let lists = [
        ("genres", &preferences.genres, PREFERRED_GENRES_MAX),
        ("languages", &preferences.languages, PREFERRED_LANGUAGES_MAX),
        ("content_types", &preferences.content_types, CONTENT_TYPES.len()),
    ];
    let fine = |word: &String| {
        !word.trim().is_empty() && word.chars().count() <= PREFERENCE_CHARS_MAX && !word.chars().any(char::is_control)
    };
    for (name, words, max) in lists {
        if words.len() > max {
            return Some(format!("preferences.{name} has at most {max} entries"));
        }
        if !words.iter().all(fine) {
            return Some(format!(
                "preferences.{name} has entries of 1 to {PREFERENCE_CHARS_MAX} characters"
            ));
        }
    }
    let tag = |tag: &String| tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !preferences.languages.iter().all(tag) {
        return Some("preferences.languages has BCP 47 tags, such as en or pt-BR".into());
    }
    let unknown = preferences
        .content_types
        .iter()
        .find(|kind| !CONTENT_TYPES.contains(&kind.as_str()))?;
    Some(format!(
        "preferences.content_types has film and series, not {unknown:?}"
    ))
}
