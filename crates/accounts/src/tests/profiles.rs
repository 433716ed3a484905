//! The people of one account.

use contract::{
    AccountId, ProfileId,
    accounts::{CreateProfile, ForProfile, Preferences, UpdateProfile},
};

use super::*;

fn new(account: AccountId, name: &str) -> CreateProfile {
    CreateProfile {
        account,
        name: name.into(),
        avatar: None,
        kids: false,
        maturity_max: None,
        preferences: Preferences::default(),
    }
}

fn change(account: AccountId, profile: ProfileId) -> UpdateProfile {
    UpdateProfile {
        account,
        profile,
        name: None,
        avatar: None,
        kids: None,
        maturity_max: None,
        preferences: None,
        onboarded: None,
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn of(account: AccountId, profile: ProfileId) -> ForProfile {
    ForProfile { account, profile }
}

#[tokio::test]
async fn profiles_are_made_and_changed() {
    for house in houses().await {
        let lea = house.register("lea@example.org").await;
        let account = lea.account.id;
        let asked = CreateProfile {
            kids: true,
            ..new(account, " Mia ")
        };
        let kids = house.door.create_profile(asked).await.unwrap();
        assert_eq!(
            (kids.name.as_str(), kids.kids, kids.maturity_max, kids.onboarded),
            ("Mia", true, 12, false)
        );
        assert_ne!(kids.avatar, lea.profiles[0].avatar);

        let preferences = Preferences {
            genres: words(&["Film-Noir", "Children's"]),
            languages: words(&["fr", "pt-BR"]),
            content_types: words(&["film"]),
        };
        let (liked, onboarded) = (Some(preferences.clone()), Some(true));
        let asked = UpdateProfile {
            preferences: liked,
            onboarded,
            ..change(account, kids.id)
        };
        let changed = house.door.update_profile(asked).await.unwrap();
        assert_eq!(
            (changed.name.as_str(), &changed.preferences, changed.onboarded),
            ("Mia", &preferences, true)
        );
        let read = house.door.profile(of(account, kids.id)).await.unwrap();
        assert_eq!(read, changed, "{}", house.name);
    }
}

#[tokio::test]
async fn profiles_are_removed_but_for_the_last() {
    for house in houses().await {
        let lea = house.register("lea@example.org").await;
        let account = lea.account.id;
        let profile = house.door.create_profile(new(account, "Mia")).await.unwrap().id;
        house.door.update_profile(change(account, profile)).await.unwrap();
        house.door.delete_profile(of(account, profile)).await.unwrap();
        let gone = house.door.profile(of(account, profile)).await;
        assert_eq!(gone.err(), Some(AccountsError::ProfileNotFound));
        let last = house.door.delete_profile(of(account, lea.profiles[0].id)).await;
        assert_eq!(last.err(), Some(AccountsError::LastProfile), "{}", house.name);
        let facts = [
            EventBody::ProfileCreated { account, profile },
            EventBody::ProfileChanged { account, profile },
            EventBody::ProfileDeleted { account, profile },
        ];
        assert_eq!(house.told(5).await[2..], facts, "{}", house.name);
    }
}

#[tokio::test]
async fn a_limit_follows_whether_it_is_a_childs() {
    for house in houses().await {
        let lea = house.register("lea@example.org").await;
        let (account, profile) = (lea.account.id, lea.profiles[0].id);
        let update = async |kids, maturity_max| {
            let asked = UpdateProfile {
                kids,
                maturity_max,
                ..change(account, profile)
            };
            house
                .door
                .update_profile(asked)
                .await
                .map(|profile| profile.maturity_max)
        };
        assert_eq!(update(None, Some(16)).await, Ok(16));
        assert_eq!(update(Some(true), None).await, Ok(12), "{}", house.name);
        assert_eq!(update(None, Some(7)).await, Ok(7));
        assert!(
            matches!(update(None, Some(13)).await, Err(AccountsError::ProfileInvalid(_))),
            "{}",
            house.name
        );
        assert_eq!(update(Some(true), None).await, Ok(7));
        assert_eq!(update(Some(false), None).await, Ok(18));
        assert!(matches!(
            update(None, Some(19)).await,
            Err(AccountsError::ProfileInvalid(_))
        ));
    }
}

#[tokio::test]
async fn there_are_five_at_most_also_when_all_come_at_once() {
    for house in houses().await {
        let account = house.register("lea@example.org").await.account.id;
        let asked = (0..8).map(|number| house.door.create_profile(new(account, &format!("{number}"))));
        let made = futures::future::join_all(asked).await;
        assert_eq!(made.iter().filter(|result| result.is_ok()).count(), 4, "{}", house.name);
        let refused = made.into_iter().filter_map(Result::err);
        assert!(refused.into_iter().all(|error| error == AccountsError::TooManyProfiles));
    }
}

#[tokio::test]
async fn a_profile_is_its_accounts_alone() {
    for house in houses().await {
        let lea = house.register("lea@example.org").await;
        let eve = house.register("eve@example.org").await;
        let (account, profile) = (eve.account.id, lea.profiles[0].id);
        let foreign = ForProfile { account, profile };
        assert_eq!(
            house.door.profile(foreign).await.err(),
            Some(AccountsError::ProfileNotFound),
            "{}",
            house.name
        );
        assert_eq!(
            house.door.delete_profile(foreign).await.err(),
            Some(AccountsError::ProfileNotFound)
        );
        let renamed = house
            .door
            .update_profile(UpdateProfile {
                name: Some("x".into()),
                ..change(account, profile)
            })
            .await;
        assert_eq!(renamed.err(), Some(AccountsError::ProfileNotFound));
        let nobody = house.door.create_profile(new(AccountId(1), "x")).await;
        assert_eq!(nobody.err(), Some(AccountsError::AccountNotFound));
    }
}

#[tokio::test]
async fn what_a_profile_cannot_be_is_said() {
    for house in houses().await {
        let account = house.register("lea@example.org").await.account.id;
        let liking = |preferences| CreateProfile {
            preferences,
            ..new(account, "x")
        };
        let wrong = [
            CreateProfile {
                avatar: Some("../etc/passwd".into()),
                ..new(account, "x")
            },
            CreateProfile {
                avatar: Some(String::new()),
                ..new(account, "x")
            },
            CreateProfile {
                kids: true,
                maturity_max: Some(16),
                ..new(account, "x")
            },
            CreateProfile {
                maturity_max: Some(99),
                ..new(account, "x")
            },
            liking(Preferences {
                genres: vec!["x".into(); 41],
                ..Preferences::default()
            }),
            liking(Preferences {
                genres: vec!["x".repeat(61)],
                ..Preferences::default()
            }),
            liking(Preferences {
                languages: words(&["en_US;"]),
                ..Preferences::default()
            }),
            liking(Preferences {
                content_types: words(&["podcast"]),
                ..Preferences::default()
            }),
        ];
        for request in wrong {
            let error = house.door.create_profile(request.clone()).await.err();
            assert!(
                matches!(error, Some(AccountsError::ProfileInvalid(_))),
                "{}: {request:?}: {error:?}",
                house.name
            );
        }
        assert_eq!(
            house.door.create_profile(new(account, "")).await.err(),
            Some(AccountsError::NameInvalid)
        );
    }
}
