//! Register, log in, limits, the first admin.

use contract::{
    DoorError as _, Fault,
    accounts::{FindAccount, ForAccount, ListAccounts, SetRole, SetUp},
};

use super::*;

#[tokio::test]
async fn a_person_registers_and_is_in() {
    for house in houses().await {
        let signed_in = house.register(" Lea@Example.org ").await;
        assert_eq!(
            (signed_in.account.email.as_str(), signed_in.account.role),
            ("lea@example.org", Role::Viewer)
        );
        assert_eq!(signed_in.profiles.len(), 1, "{}", house.name);
        assert_eq!(
            (signed_in.profiles[0].name.as_str(), signed_in.profiles[0].maturity_max),
            ("Léa", 18)
        );
        assert_eq!(
            (signed_in.expires_in_s, signed_in.refresh_expires_in_s),
            (600, 30 * 86_400)
        );
        let claims = house.claims(&signed_in.access_token).await.unwrap();
        assert_eq!(
            (claims.sub, claims.sid, claims.role),
            (signed_in.account.id, signed_in.session, Role::Viewer)
        );

        let me = house
            .door
            .me(ForAccount {
                account: signed_in.account.id,
            })
            .await
            .unwrap();
        assert_eq!(
            (me.account, me.profiles),
            (signed_in.account.clone(), signed_in.profiles.clone())
        );
        let (account, profile) = (signed_in.account.id, signed_in.profiles[0].id);
        let facts = [
            EventBody::AccountRegistered { account },
            EventBody::ProfileCreated { account, profile },
        ];
        assert_eq!(house.told(2).await, facts, "{}", house.name);
    }
}

#[tokio::test]
async fn an_address_has_one_account_also_when_two_register_at_once() {
    for house in houses().await {
        let both = futures::future::join_all((0..4).map(|_| house.try_register("lea@example.org"))).await;
        let made = both.iter().filter(|result| result.is_ok()).count();
        let taken = both
            .iter()
            .filter(|result| matches!(result, Err(AccountsError::EmailTaken)))
            .count();
        assert_eq!((made, taken), (1, 3), "{}", house.name);
        assert_eq!(
            house.try_register("LEA@example.org").await.err(),
            Some(AccountsError::EmailTaken)
        );
    }
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    for house in houses().await {
        let register = async |email: &str, password: &str, name: &str| {
            let (email, password, name) = (email.into(), password.into(), name.into());
            house
                .door
                .register(Register {
                    email,
                    password,
                    name,
                    client: client("1"),
                })
                .await
                .err()
        };
        assert_eq!(
            register("lea", PASSWORD, "Léa").await,
            Some(AccountsError::EmailInvalid)
        );
        assert_eq!(
            register("lea@example.org", PASSWORD, " ").await,
            Some(AccountsError::NameInvalid)
        );
        for password in ["short", "password1234567", "lea@example.org lea@example.org"] {
            let error = register("lea@example.org", password, "Léa").await.unwrap();
            assert_eq!(error.slug(), "password_refused", "{password}: {error}");
        }
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_the_same() {
    for house in houses().await {
        house.register("lea@example.org").await;
        assert!(house.login("Lea@example.org", PASSWORD, "1").await.is_ok());
        for email in ["lea@example.org", "nobody@example.org", "no address", ""] {
            let error = house.login(email, OTHER_PASSWORD, "1").await.err().unwrap();
            assert_eq!(error, AccountsError::CredentialsWrong, "{}: {email}", house.name);
        }
    }
}

/// Both do one argon2 hash, which is nearly all of the work: without it the unknown address would answer thirty times sooner.
#[tokio::test]
async fn an_unknown_address_costs_the_same() {
    let config = Config {
        failures_per_account_and_address_max: 1000,
        ..Config::default()
    };
    let house = houses_with(config).await.remove(0);
    house.register("lea@example.org").await;
    let mut spent = [Vec::new(), Vec::new()];
    for _ in 0..9 {
        for (email, spent) in ["lea@example.org", "nobody@example.org"].into_iter().zip(&mut spent) {
            let began = std::time::Instant::now();
            house.login(email, OTHER_PASSWORD, "1").await.err().unwrap();
            spent.push(began.elapsed());
        }
    }
    let [known, unknown] = spent.map(|mut spent| {
        spent.sort();
        spent[spent.len() / 2]
    });
    assert!(
        unknown * 4 > known && known * 4 > unknown,
        "known {known:?}, unknown {unknown:?}"
    );
}

#[tokio::test]
async fn more_log_ins_than_there_is_memory_for_are_refused_at_once() {
    let config = Config {
        hashes_at_once: 1,
        hashes_waiting_max: 1,
        ..Config::default()
    };
    let house = houses_with(config).await.remove(0);
    let attempts = (0..8).map(|number| {
        let door = house.door.clone();
        let email = format!("{number}@example.org");
        tokio::spawn(async move {
            door.login(Login {
                email,
                password: "x".into(),
                client: client("1"),
            })
            .await
            .err()
        })
    });
    let results = futures::future::join_all(attempts.collect::<Vec<_>>()).await;
    let refused = results
        .iter()
        .filter(|error| matches!(error, Ok(Some(AccountsError::Fault(Fault::Overloaded(_))))));
    assert!(refused.count() >= 1);
}

#[tokio::test]
async fn the_first_admin_is_made_with_a_token_that_works_once() {
    for house in houses().await {
        let old = house.local.issue_set_up_token().await.unwrap().unwrap();
        let token = house.local.issue_set_up_token().await.unwrap().unwrap();
        let set_up = |email: &str, token: &str| {
            let (email, password, name) = (email.into(), PASSWORD.into(), "Ada".into());
            let register = Register {
                email,
                password,
                name,
                client: client("1"),
            };
            house.door.set_up(SetUp {
                token: token.into(),
                register,
            })
        };
        house.register("lea@example.org").await;
        for wrong in ["", "x", &old] {
            assert_eq!(
                set_up("ada@example.org", wrong).await.err(),
                Some(AccountsError::SetUpRefused),
                "{}",
                house.name
            );
        }
        assert_eq!(
            set_up("lea@example.org", &token).await.err(),
            Some(AccountsError::EmailTaken)
        );
        let both = futures::future::join(set_up("ada@example.org", &token), set_up("eve@example.org", &token)).await;
        assert_eq!(
            [both.0.is_ok(), both.1.is_ok()].iter().filter(|ok| **ok).count(),
            1,
            "{}",
            house.name
        );
        let admin = both.0.or(both.1).unwrap();
        assert_eq!(house.claims(&admin.access_token).await.unwrap().role, Role::Admin);
        assert_eq!(house.local.issue_set_up_token().await.unwrap(), None);
    }
}

#[tokio::test]
async fn operators_add_find_and_list_people() {
    for house in houses().await {
        let ada = house.add("ada@example.org", Role::Admin).await;
        house.clock.advance(1);
        let curator = house.add("100%_curator@example.org", Role::Curator).await;
        let me = house
            .door
            .find(FindAccount {
                email: "ADA@example.org".into(),
            })
            .await
            .unwrap();
        assert_eq!(
            (me.account.id, me.account.role, me.profiles.len()),
            (ada, Role::Admin, 1)
        );
        let nobody = house
            .door
            .find(FindAccount {
                email: "eve@example.org".into(),
            })
            .await;
        assert_eq!(nobody.err(), Some(AccountsError::AccountNotFound));

        let list = async |query: Option<&str>, after, limit| {
            let request = ListAccounts {
                query: query.map(Into::into),
                after,
                limit,
            };
            let page = house.door.list(request).await.unwrap();
            (
                page.items.iter().map(|account| account.id).collect::<Vec<_>>(),
                page.next,
            )
        };
        assert_eq!(list(None, None, 1).await, (vec![ada], Some(ada)), "{}", house.name);
        assert_eq!(list(None, Some(ada), 1).await, (vec![curator], None));
        assert_eq!(list(Some("100%_"), None, 9).await, (vec![curator], None));
        assert_eq!(list(Some("%"), None, 9).await, (vec![curator], None), "{}", house.name);
        assert_eq!(
            list(Some("ADA"), None, 9).await,
            (vec![ada, curator], None),
            "by name and by address"
        );
        assert_eq!(list(Some("!"), None, 9).await, (vec![], None));
    }
}

#[tokio::test]
async fn roles_change_and_an_admin_stays() {
    for house in houses().await {
        let ada = house.add("ada@example.org", Role::Admin).await;
        let eve = house.register("eve@example.org").await;
        let set_role = |account, role| house.door.set_role(SetRole { account, role });
        assert_eq!(
            set_role(ada, Role::Viewer).await.err(),
            Some(AccountsError::LastAdmin),
            "{}",
            house.name
        );
        assert_eq!(set_role(eve.account.id, Role::Admin).await.unwrap().role, Role::Admin);
        assert!(
            house.claims(&eve.access_token).await.is_some(),
            "who gains something stays in"
        );

        // Two admins that demote each other at once.
        let both = futures::future::join(set_role(ada, Role::Viewer), set_role(eve.account.id, Role::Viewer)).await;
        let refused = [both.0.err(), both.1.err()].into_iter().flatten().collect::<Vec<_>>();
        assert_eq!(refused, [AccountsError::LastAdmin], "{}", house.name);
        set_role(eve.account.id, Role::Admin).await.unwrap();
        set_role(ada, Role::Admin).await.unwrap();

        let session = house.login("eve@example.org", PASSWORD, "1").await.unwrap();
        set_role(eve.account.id, Role::Curator).await.unwrap();
        assert!(
            house.claims(&session.access_token).await.is_none(),
            "{}: who loses something logs in again",
            house.name
        );
        assert!(house.refresh(&session.refresh_token).await.is_err());
        let again = house.login("eve@example.org", PASSWORD, "1").await.unwrap();
        assert_eq!(house.claims(&again.access_token).await.unwrap().role, Role::Curator);
    }
}
