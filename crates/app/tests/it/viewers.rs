//! The main job, over HTTP: register, choose, see a page that knows you, rate, list, look back, forget.

use serde_json::{Value, json};
use testkit::{Client, Cluster, client::PASSWORD, until};

use crate::{
    LONG, id, ids, kinds,
    rows::{self, Figures},
    titles_of,
};

#[tokio::test]
async fn a_rating_changes_the_very_next_page() {
    let cluster = Cluster::with_library();
    let ada = cluster.viewer("ada").await;
    let westerns = titles_of(&ada, "Western", 6).await;
    let before = ada.get("/home").await.ok();
    for western in &westerns[..3] {
        ada.rate(western, 5.0).await.ok();
    }
    let after = ada.get("/home").await.ok();
    let because: Vec<&Value> = rows(&after, "because_you_watched");
    assert!(!because.is_empty(), "{:?} then {:?}", kinds(&before), kinds(&after));
    let heading = because[0]["title"].as_str().unwrap();
    assert!(
        heading.starts_with("Because you rated") && heading.ends_with("five stars"),
        "{heading}"
    );
    assert!(
        because[0]["reason"]["because_titles"][0]["name"].is_string(),
        "{}",
        because[0]["reason"]
    );
    let picks = ada.get("/recommendations?limit=10").await.ok();
    let liked = of_genre(&picks, "Western");
    assert!(liked >= 6, "{liked} of 10 are of the kind that ada loves");
    // What was rated is not recommended, and what is disliked goes.
    assert!(ids(&picks).iter().all(|title| !westerns[..3].contains(title)));
    let unwanted = ids(&picks)[0].clone();
    ada.put(&format!("/titles/{unwanted}/rating"), &json!({ "like": false }))
        .await
        .ok();
    let home = ada.get("/home").await.ok();
    assert!(
        home["rows"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| !ids(row).contains(&unwanted)),
        "a disliked title is still on the page"
    );
    // Somebody else sees another page.
    let bob = cluster.viewer("bob").await;
    for horror in titles_of(&bob, "Horror", 3).await {
        bob.rate(&horror, 5.0).await.ok();
    }
    assert_ne!(ids(&bob.get("/recommendations?limit=10").await.ok()), ids(&picks));
}

fn rows<'a>(home: &'a Value, kind: &str) -> Vec<&'a Value> {
    home["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["kind"] == kind)
        .collect()
}

fn of_genre(list: &Value, genre: &str) -> usize {
    let items = list["items"].as_array().unwrap().iter();
    items
        .filter(|item| item["title"]["genres"].as_array().unwrap().contains(&json!(genre)))
        .count()
}

#[tokio::test]
async fn a_new_profile_chooses_and_gets_a_sensible_page_at_once() {
    let cluster = Cluster::with_library();
    let eve = cluster.viewer("eve").await;
    let choice = eve.get("/onboarding").await.ok();
    let genres: Vec<&str> = choice["genres"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|genre| genre["name"].as_str())
        .collect();
    assert!(genres.contains(&"Sci-Fi"), "{genres:?}");
    assert!(choice["titles"].as_array().unwrap().len() >= 20);
    let loved = titles_of(&eve, "Sci-Fi", 2).await;
    let chosen = json!({ "genres": ["Sci-Fi"], "title_ids": loved });
    eve.post("/onboarding", &chosen).await.expect(204);
    let me = eve.get("/me").await.ok();
    assert_eq!(me["profiles"][0]["onboarded"], true);
    assert_eq!(me["profiles"][0]["preferences"]["genres"], json!(["Sci-Fi"]));
    let home = eve.get("/home").await.ok();
    let mut different = kinds(&home);
    different.sort_unstable();
    different.dedup();
    assert!(different.len() >= 4, "{different:?}");
    let picks = eve.get("/recommendations?limit=10").await.ok();
    assert!(of_genre(&picks, "Sci-Fi") >= 5, "{picks}");
}

#[tokio::test]
async fn ratings_lists_and_history_can_be_taken_back() {
    let cluster = Cluster::with_library();
    let ada = cluster.viewer("ada").await;
    let titles = titles_of(&ada, "Drama", 3).await;
    let first = &titles[0];
    let before = ada.get(&format!("/titles/{first}")).await.ok();
    let rated = ada.rate(first, 4.5).await.ok();
    assert_eq!(
        rated["ratings_count"].as_u64(),
        before["ratings_count"].as_u64().map(|count| count + 1)
    );
    assert_eq!(rated["my_rating"], json!({ "stars": 4.5 }));
    ada.put(&format!("/titles/{}/rating", titles[1]), &json!({ "like": true }))
        .await
        .ok();
    let listed = ada.get("/ratings?limit=1").await.ok();
    let next = listed["next_cursor"].as_str().unwrap();
    let rest = ada.get(&format!("/ratings?limit=1&cursor={next}")).await.ok();
    assert_eq!(
        (ids(&listed), ids(&rest)),
        (vec![titles[1].clone()], vec![first.clone()])
    );
    assert_eq!(
        (&listed["items"][0]["like"], &rest["items"][0]["stars"]),
        (&json!(true), &json!(4.5))
    );

    let list = format!("/my-list/{first}");
    ada.put(&list, &Value::Null).await.expect(204);
    ada.put(&list, &Value::Null).await.expect(204);
    assert_eq!(ids(&ada.get("/my-list").await.ok()), std::slice::from_ref(first));
    assert_eq!(ada.get(&format!("/titles/{first}")).await.ok()["in_my_list"], true);
    ada.delete(&list).await.expect(204);
    ada.delete(&list).await.expect(204);

    let watched = json!({ "watched": true });
    ada.put(&format!("/titles/{first}/watched"), &watched).await.expect(204);
    let history = ada.get("/history").await.ok();
    assert_eq!(id(&history["items"][0]["title"]), *first);
    assert_eq!(history["items"][0]["progress"]["finished"], true);
    assert_eq!(history["items"][0]["my_rating"], json!({ "stars": 4.5 }));
    // Forgotten: also as taste.
    ada.delete(&format!("/history/{first}")).await.expect(204);
    assert_eq!(ids(&ada.get("/history").await.ok()), Vec::<String>::new());
    assert_eq!(
        ada.get(&format!("/titles/{first}")).await.ok()["my_rating"],
        Value::Null
    );
}

#[tokio::test]
async fn profiles_are_apart_and_the_accounts_own() {
    let cluster = Cluster::with_library();
    let ada = cluster.viewer("ada").await;
    let title = titles_of(&ada, "Drama", 1).await.remove(0);
    let mut expected = Figures::shown(&ada.get(&format!("/titles/{title}")).await.ok());
    ada.rate(&title, 5.0).await.ok();
    let second = id(&ada.post("/profiles", &json!({ "name": "Second" })).await.expect(201));
    let other = ada.as_profile(&second);
    assert_eq!(ids(&other.get("/ratings").await.ok()), Vec::<String>::new());
    let bob = cluster.viewer("bob").await;
    assert_eq!(
        bob.as_profile(&second).get("/home").await.problem(404),
        "profile_not_found"
    );
    assert_eq!(
        bob.delete(&format!("/profiles/{second}")).await.problem(404),
        "profile_not_found"
    );
    other.rate(&title, 1.0).await.ok();
    expected.stars[9] += 1;
    let adas_alone = expected.clone();
    expected.stars[1] += 1;
    rows::title_agrees(&ada, &cluster.data(), &title, &expected).await;
    ada.delete(&format!("/profiles/{second}")).await.expect(204);
    assert_eq!(other.get("/home").await.problem(404), "profile_not_found");
    // What the profile had said is gone, everywhere and soon, and what the other one said is still there.
    let path = format!("/titles/{title}");
    until("the figures without the deleted profile", LONG, async || {
        (Figures::shown(&ada.get(&path).await.ok()) == adas_alone).then_some(())
    })
    .await;
    rows::title_agrees(&ada, &cluster.data(), &title, &adas_alone).await;
    assert_eq!(ids(&ada.get("/ratings").await.ok()), [title]);
    assert_eq!(rows::disagreements(&cluster.data()).await, 0);
}

#[tokio::test]
async fn search_forgives_and_browsing_pages_without_gaps() {
    let cluster = Cluster::with_library();
    let ada = cluster.viewer("ada").await;
    let limit = std::time::Duration::from_secs(20);
    let found = testkit::until("the index of words", limit, async || {
        let found = ada.get("/search?q=quiet%20harbor").await.ok();
        (!found["items"].as_array().unwrap().is_empty()).then_some(found)
    })
    .await;
    assert!(
        found["items"][0]["name"].as_str().unwrap().contains("Quiet"),
        "{}",
        found["items"][0]
    );
    let accents = ada.get("/search?q=leas%20mirror").await.ok();
    assert!(
        accents["items"][0]["name"].as_str().unwrap().contains("Léa"),
        "{accents}"
    );
    assert!(
        found["facets"]["genres"]
            .as_array()
            .is_some_and(|genres| !genres.is_empty())
    );
    let likely = ada.get("/search?q=").await.ok();
    assert!(
        !ids(&likely).is_empty(),
        "an empty question shows what the viewer might look for"
    );
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = ada.get(&format!("/titles?sort=year&limit=7{cursor}")).await.ok();
        seen.extend(ids(&page));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!((seen.len(), count), (96, 96));
}

#[tokio::test]
async fn sessions_end_where_and_when_they_are_told_to() {
    let cluster = Cluster::one();
    let here = cluster.viewer("ada").await;
    let there = Client::log_in(cluster.url(), "ada@kinora.example", PASSWORD).await;
    let sessions = here.get("/auth/sessions").await.ok();
    let sessions = sessions["items"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let other = sessions.iter().find(|session| session["current"] == false).unwrap();
    here.delete(&format!("/auth/sessions/{}", id(other))).await.expect(204);
    assert_eq!(there.get("/me").await.problem(401), "unauthenticated");
    let refresh = json!({ "refresh_token": here.refresh_token });
    let next = here.post("/auth/refresh", &refresh).await.expect(200);
    assert_ne!(next["refresh_token"], refresh["refresh_token"]);
    let change = json!({ "current_password": "wrong", "new_password": "another evening at the pictures" });
    assert_eq!(
        here.post("/auth/password", &change).await.problem(401),
        "credentials_wrong"
    );
    here.post("/auth/logout-all", &Value::Null).await.expect(204);
    assert_eq!(here.get("/me").await.problem(401), "unauthenticated");
    let last = json!({ "refresh_token": next["refresh_token"] });
    assert_eq!(here.post("/auth/refresh", &last).await.problem(401), "refresh_invalid");
    let back = Client::log_in(cluster.url(), "ada@kinora.example", PASSWORD).await;
    let delete = json!({ "password": PASSWORD });
    back.send(reqwest::Method::DELETE, "/me", Some(&delete))
        .await
        .expect(204);
    let login = json!({ "email": "ada@kinora.example", "password": PASSWORD });
    assert_eq!(
        cluster.anonymous().post("/auth/login", &login).await.problem(401),
        "credentials_wrong"
    );
}

#[tokio::test]
async fn a_role_counts_at_once_and_the_last_admin_stays() {
    let cluster = Cluster::one();
    let admin = cluster.admin().await;
    let ada = cluster.viewer("ada").await;
    assert_eq!(ada.get("/admin/jobs").await.problem(403), "forbidden");
    let users = admin.get("/admin/users?q=ada").await.ok();
    let account = format!("/admin/users/{}", id(&users["items"][0]));
    admin.patch(&account, &json!({ "role": "curator" })).await.ok();
    let ada = Client::log_in(cluster.url(), "ada@kinora.example", PASSWORD).await;
    ada.get("/admin/jobs").await.ok();
    admin.patch(&account, &json!({ "role": "viewer" })).await.ok();
    assert!(matches!(ada.get("/admin/jobs").await.status.as_u16(), 401 | 403));
    let own = id(&admin.get("/me").await.ok()["account"]);
    let refused = admin
        .patch(&format!("/admin/users/{own}"), &json!({ "role": "viewer" }))
        .await;
    assert_eq!(refused.problem(409), "last_admin");
}

#[tokio::test]
async fn two_people_rate_at_once_and_both_count() {
    let cluster = Cluster::with_library();
    let (ada, bob) = (cluster.viewer("ada").await, cluster.viewer("bob").await);
    let title = titles_of(&ada, "Drama", 1).await.remove(0);
    let before = ada.get(&format!("/titles/{title}")).await.ok()["ratings_count"]
        .as_u64()
        .unwrap();
    for round in 0..10 {
        let stars = 1.0 + f64::from(round % 5);
        let (one, other) = tokio::join!(ada.rate(&title, stars), bob.rate(&title, 5.0));
        one.ok();
        other.ok();
    }
    let after = ada.get(&format!("/titles/{title}")).await.ok();
    let counted: u64 = after["rating_histogram"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bar| bar["count"].as_u64().unwrap())
        .sum();
    assert_eq!(counted, before + 2);
}

#[tokio::test]
async fn the_same_house_on_postgresql() {
    let cluster = Cluster::on_postgres().await;
    let admin = cluster.admin().await;
    let film = json!({ "name": "Heat", "year": 1995, "genres": ["Crime"] });
    let title = admin.post("/admin/titles", &film).await.expect(201);
    let ada = cluster.viewer("ada").await;
    ada.rate(&id(&title), 5.0).await.ok();
    assert_eq!(ids(&ada.get("/ratings").await.ok()), [id(&title)]);
    ada.get("/home").await.ok();
    assert_eq!(ada.get("//readyz").await.ok()["ready"], true);
}
