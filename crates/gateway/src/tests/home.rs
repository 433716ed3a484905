//! The home page, put together.

use contract::accounts::Role;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::support::{KIDS, PROFILE, Reply, World, card, stock};
use crate::Config;

fn page() -> Value {
    let because = |title: &str, how: &str| json!({ "because": [{ "title": title, "share": 0.7, "how": how }] });
    json!({
        "id": "5", "model": null,
        "hero": { "title": "1", "reason": because("2", "watched") },
        "rows": [
            { "id": "top_picks", "kind": "top_picks", "reason": null, "items": [
                { "title": "3", "reason": because("1", "rated") }, { "title": "9", "reason": null } ] },
            { "id": "because_you_watched:1", "kind": { "because_you_watched": "1" }, "reason": because("1", "rated"),
              "items": [{ "title": "2", "reason": null }] },
            { "id": "genre:Crime", "kind": { "genre": "Crime" }, "reason": { "genres": ["Crime", "Drama"] },
              "items": [{ "title": "1", "reason": null }] },
            { "id": "new", "kind": "new", "reason": "new", "items": [{ "title": "9", "reason": null }] },
        ],
        "states": states(), "listed": ["2", "3"],
    })
}

fn states() -> Value {
    let progress =
        json!({ "position_ms": 1_500_000, "duration_ms": 6_000_000, "watched": 0.25, "finished": false, "at": 5 });
    json!([
        { "title": "1", "opinion": { "stars": 10 }, "rated_at": 4, "progress": null, "listed_at": null },
        { "title": "2", "opinion": null, "rated_at": null, "progress": progress, "listed_at": null },
    ])
}

async fn world() -> World {
    stocked(Config::default()).await
}

/// A gateway without room for pages: each is made.
async fn keeping_no_page() -> World {
    let config = Config {
        home_pages_bytes_max: 0,
        ..Config::default()
    };
    stocked(config).await
}

async fn stocked(config: Config) -> World {
    let world = World::with(config).await;
    stock(
        &world,
        vec![card(1, "Heat", 16), card(2, "Babe", 0), card(3, "Ronin", 16)],
    );
    world.answers("recommend.home", page());
    world.answers("recommend.home_version", 1);
    world.answers("activity.recent", json!({ "states": states(), "listed": [] }));
    world
}

#[tokio::test]
async fn rows_have_cards_progress_and_reasons_in_words() {
    let world = world().await;
    let reply = world.viewer().get("/api/v1/home").await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    let home = reply.json();
    assert_eq!(home["page_id"], "5");
    assert_eq!(home["ratings_wanted"], 2, "one title of three is rated");
    assert_eq!(home["hero"]["title"]["name"], "Heat");
    assert_eq!(home["hero"]["description"], "A thief and a detective.");
    assert_eq!(home["hero"]["reason"]["text"], "Because you watched Babe");
    let rows = home["rows"].as_array().unwrap();
    // Title 9 is gone: so is the row that held nothing else.
    let heads: Vec<_> = rows
        .iter()
        .map(|row| (row["kind"].as_str().unwrap(), row["title"].as_str().unwrap()))
        .collect();
    assert_eq!(
        heads,
        [
            ("top_picks", "Top picks for you"),
            ("because_you_watched", "Because you rated Heat five stars"),
            ("genre", "Crime")
        ]
    );
    assert_eq!(rows[2]["reason"]["text"], "Because you enjoy Crime and Drama");
    let pick = &rows[0]["items"][0];
    assert_eq!(
        pick["reason"],
        json!({ "text": "Because you rated Heat five stars", "because": ["1"], "because_titles": [{ "id": "1", "name": "Heat" }] })
    );
    assert_eq!(rows[0]["items"].as_array().unwrap().len(), 1);
    let babe = &rows[1]["items"][0]["title"];
    assert_eq!(
        babe["progress"],
        json!({ "position_s": 1500.0, "duration_s": 6000.0, "fraction": 0.25, "finished": false })
    );
    let poster = babe["poster_url"].as_str().unwrap();
    assert!(
        poster.starts_with("/art/2/3-") && poster.ends_with("/poster"),
        "{poster}"
    );
    assert_eq!(babe["average_rating"], json!(4.12));
    assert_eq!(rows[2]["items"][0]["title"]["my_rating"], json!({ "stars": 5.0 }));
    // Each card knows of the list, whichever row it stands in and however long ago it was put there.
    assert_eq!(
        [babe, &pick["title"], &rows[2]["items"][0]["title"]].map(|title| &title["in_my_list"]),
        [true, true, false]
    );
    // One question to each door, whatever the size of the page, and none about what the page says already.
    for (method, calls) in [
        ("recommend.home", 1),
        ("catalog.cards", 1),
        ("catalog.title", 1),
        ("activity.recent", 0),
        ("activity.states", 0),
    ] {
        assert_eq!(world.calls(method).len(), calls, "{method}");
    }
}

#[tokio::test]
async fn a_card_is_as_it_is_now_whoever_was_shown_it_before() {
    let world = keeping_no_page().await;
    let mut shown = Vec::new();
    let rated =
        json!([{ "title": "3", "opinion": { "stars": 8 }, "rated_at": 4, "progress": null, "listed_at": null }]);
    for (name, states, listed) in [
        ("Ronin", json!([]), json!([])),
        ("Ronin", rated, json!([])),
        ("Ronin, restored", json!([]), json!([])),
        ("Ronin, restored", json!([]), json!(["3"])),
        ("Ronin, restored", json!([]), json!([])),
    ] {
        stock(&world, vec![card(1, "Heat", 16), card(2, "Babe", 0), card(3, name, 16)]);
        let mut page = page();
        (page["states"], page["listed"]) = (states, listed);
        world.answers("recommend.home", page);
        let home = world.viewer().get("/api/v1/home").await.json();
        let title = &home["rows"][0]["items"][0]["title"];
        shown.push(json!([title["name"], title["my_rating"]["stars"], title["in_my_list"]]));
    }
    assert_eq!(
        shown,
        [
            json!(["Ronin", null, false]),
            json!(["Ronin", 4.0, false]),
            json!(["Ronin, restored", null, false]),
            json!(["Ronin, restored", null, true]),
            json!(["Ronin, restored", null, false]),
        ]
    );
}

#[tokio::test]
async fn nothing_a_child_must_not_see_is_named() {
    let world = world().await;
    let reply = world
        .viewer()
        .with("x-profile", KIDS.to_string())
        .get("/api/v1/home")
        .await;
    assert_eq!(reply.status, 200);
    let text = String::from_utf8_lossy(&reply.body);
    assert!(!text.contains("Heat") && !text.contains("Ronin"), "{text}");
    assert_eq!(world.calls("recommend.home")[0]["viewer"]["maturity_max"], 7);
}

#[tokio::test]
async fn recommendations_are_a_plain_list() {
    let world = world().await;
    world.answers(
        "recommend.top",
        json!([{ "title": "3", "reason": null }, { "title": "1", "reason": "popular" }]),
    );
    let list = world.viewer().get("/api/v1/recommendations?limit=2").await.json();
    assert_eq!(list["items"][0]["title"]["name"], "Ronin");
    assert_eq!(list["items"][1]["reason"]["text"], "A favourite of many viewers");
    assert_eq!(world.calls("recommend.top")[0]["limit"], 2);
}

/// Who has done more than is kept in memory: what is shown and was done with long ago is asked for, and nothing else.
#[tokio::test]
async fn cards_show_a_rating_however_long_ago_it_was_given() {
    let world = world().await;
    let rated = |title: u64| {
        let title = title.to_string();
        json!({ "title": title, "opinion": { "stars": 8 }, "rated_at": 4, "progress": null, "listed_at": null })
    };
    let newest: Vec<Value> = (1000..1499).chain([1]).map(rated).collect();
    let mut busy = page();
    busy["states"] = json!(newest);
    world.answers("recommend.home", busy);
    world.answers("activity.recent", json!({ "states": newest, "listed": [] }));
    world.answers("recommend.top", json!([{ "title": "3", "reason": null }]));
    world.answers("activity.states", json!([rated(3)]));
    let four = json!({ "stars": 4.0 });

    let home = world.viewer().get("/api/v1/home").await.json();
    let [pick, heat] = [0, 2].map(|row| &home["rows"][row]["items"][0]["title"]);
    assert_eq!((&pick["name"], &pick["my_rating"]), (&json!("Ronin"), &four), "{home}");
    assert_eq!((&heat["name"], &heat["my_rating"]), (&json!("Heat"), &four), "{home}");
    let asked = world.calls("activity.states");
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0]["titles"], json!(["2", "3", "9"]));

    let list = world.viewer().get("/api/v1/recommendations?limit=1").await.json();
    assert_eq!(list["items"][0]["title"]["my_rating"], four, "{list}");
    assert_eq!(world.calls("activity.states")[1]["titles"], json!(["3"]));
}

/// Asked again, and with the tag of the answer before.
async fn again(world: &World, tag: &str) -> [Reply; 2] {
    let viewer = world.viewer();
    let plain = viewer.get("/api/v1/home").await;
    [plain, viewer.with("if-none-match", tag).get("/api/v1/home").await]
}

#[tokio::test]
async fn a_page_that_did_not_change_is_not_made_again() {
    let world = world().await;
    let first = world.viewer().get("/api/v1/home").await;
    assert_eq!(first.header("cache-control"), "private, no-cache");
    let tag = first.header("etag").to_owned();
    let [plain, known] = again(&world, &tag).await;
    assert_eq!((plain.status, &plain.body), (StatusCode::OK, &first.body));
    assert_eq!((known.status, known.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(known.header("etag"), tag);
    assert_eq!(world.calls("recommend.home").len(), 1);

    world.answers("recommend.home_version", 2);
    let [plain, known] = again(&world, &tag).await;
    assert_eq!((plain.status, known.status), (StatusCode::OK, StatusCode::OK));
    assert_ne!(plain.header("etag"), tag);
    assert_eq!(world.calls("recommend.home").len(), 2, "once, for both");
}

#[tokio::test]
async fn nobody_is_shown_the_page_of_another_profile() {
    let world = world().await;
    let tag = world.viewer().get("/api/v1/home").await.header("etag").to_owned();
    let kids = || world.viewer().with("x-profile", KIDS.to_string());
    for reply in [
        kids().get("/api/v1/home").await,
        kids().with("if-none-match", &tag).get("/api/v1/home").await,
    ] {
        assert_eq!(reply.status, StatusCode::OK);
        assert_ne!(reply.header("etag"), tag);
        assert!(!String::from_utf8_lossy(&reply.body).contains("Heat"));
    }
}

#[tokio::test]
async fn without_room_for_pages_each_is_made() {
    let world = keeping_no_page().await;
    for _ in 0..2 {
        assert_eq!(world.viewer().get("/api/v1/home").await.status, StatusCode::OK);
    }
    assert_eq!(world.calls("recommend.home").len(), 2);
}

#[tokio::test]
async fn an_admin_looks_at_what_a_model_would_show_on_their_own_profiles_only() {
    let world = world().await;
    world.answers("recommend.preview", page());
    let admin = world.as_role(Role::Admin);
    let reply = admin.get("/api/v1/admin/models/41/home?as_new=true").await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    assert_eq!(reply.json()["rows"][0]["title"], "Top picks for you");
    let asked = &world.calls("recommend.preview")[0];
    assert_eq!((&asked["model"], &asked["as_new"]), (&json!("41"), &json!(true)));
    assert_eq!(asked["viewer"]["profile"], json!(PROFILE.to_string()));
    let kids = admin.get(&format!("/api/v1/admin/models/41/home?profile={KIDS}")).await;
    assert!(!String::from_utf8_lossy(&kids.body).contains("Heat"));
    let someone_elses = admin.get("/api/v1/admin/models/41/home?profile=9999").await;
    assert_eq!(someone_elses.problem(), (404, "profile_not_found".into()));
    let curator = world.as_role(Role::Curator).get("/api/v1/admin/models/41/home").await;
    assert_eq!(curator.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_model_that_was_refused_is_not_put_in_service_and_the_answer_says_why() {
    let world = world().await;
    world.refuses(
        "recommend.activate",
        json!({ "model_refused": "worse than the model in service" }),
    );
    let admin = world.as_role(Role::Admin);
    let to = "/api/v1/admin/models/41/activate";
    let reply = admin.send(Method::POST, to, axum::body::Body::empty()).await;
    assert_eq!(reply.problem(), (409, "model_refused".into()));
    let said = reply.json()["detail"].as_str().unwrap_or_default().to_owned();
    assert!(
        said.contains("worse than the model in service") && said.contains("train another one"),
        "{said}"
    );
    assert_eq!(world.calls("recommend.activate"), [json!({ "model": "41" })]);
}

#[tokio::test]
async fn a_client_says_what_must_not_appear() {
    let world = keeping_no_page().await;
    world.answers("recommend.top", json!([{ "title": "3", "reason": null }]));
    world.answers("recommend.similar", json!([{ "title": "3", "reason": null }]));
    let viewer = world.viewer();
    for (path, method) in [
        ("/api/v1/home", "home"),
        ("/api/v1/recommendations", "top"),
        ("/api/v1/titles/1/similar", "similar"),
    ] {
        let method = format!("recommend.{method}");
        let many: Vec<String> = (1..=201).map(|id| contract::TitleId(id).to_string()).collect();
        let (most, too_many) = (many[..200].join(","), many.join(","));
        for (text, titles) in [
            // In whatever order, and however often: the same question.
            ("z8,2,2", json!(["2", "z8"])),
            ("", json!([])),
            (most.as_str(), json!(many[..200])),
        ] {
            let reply = viewer.get(&format!("{path}?exclude={text}")).await;
            assert_eq!(reply.status, 200, "{path} {text}: {:?}", reply.body);
            assert_eq!(world.calls(&method).last().unwrap()["exclude"], titles, "{path}");
        }
        let asked = world.calls(&method).len();
        for bad in ["1,", "O", "1,-1", "1;2", "1&exclude=2", "%00", too_many.as_str()] {
            let reply = viewer.get(&format!("{path}?exclude={bad}")).await;
            assert_eq!(reply.problem(), (400, "query_invalid".into()), "{path} {bad}");
            assert!(
                reply.json()["detail"].as_str().unwrap().contains("exclude"),
                "{path} {bad}"
            );
        }
        assert_eq!(world.calls(&method).len(), asked, "{path}");
    }
    let versions = world.calls("recommend.home_version");
    assert_eq!(
        versions[0]["exclude"],
        json!(["2", "z8"]),
        "another page is another version"
    );
}

#[tokio::test]
async fn a_page_that_leaves_titles_out_does_not_take_the_place_of_the_profiles_own() {
    let world = world().await;
    // As the room says it: the version is that of the question.
    world.does(
        "recommend.home_version",
        |asked| json!({ "Ok": asked["exclude"].as_array().unwrap().len() }),
    );
    let viewer = world.viewer();
    let whole = viewer.get("/api/v1/home").await;
    let without = viewer.get("/api/v1/home?exclude=3").await;
    assert_ne!(whole.header("etag"), without.header("etag"));
    let tag = without.header("etag").to_owned();
    let known = world
        .viewer()
        .with("if-none-match", &tag)
        .get("/api/v1/home?exclude=3")
        .await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);
    viewer.get("/api/v1/home").await;
    let asked: Vec<usize> = world
        .calls("recommend.home")
        .iter()
        .map(|call| call["exclude"].as_array().unwrap().len())
        .collect();
    assert_eq!(asked, [0, 1], "the profile's own page is still there");
}
