//! Experiments: what an admin may start, and what is told of one.

use contract::{
    ExperimentId, ModelId,
    accounts::Role,
    experiments::{
        ArmDifference, ArmResult, Experiment, ExperimentArm, ExperimentMethod, ExperimentMetric, ExperimentResults,
        ExperimentState, ExperimentVerdict, StartExperiment,
    },
};
use http::Method;
use serde_json::{Value, json};

use super::support::World;

const PATH: &str = "/api/v1/admin/experiments";

fn wanted() -> Value {
    json!({
        "name": "Newer against older", "method": "ab", "metric": "plays", "guards": ["dislikes"], "window_hours": 48,
        "arms": [{ "name": "older", "model_id": "1" }, { "name": "newer", "model_id": "2", "weight": 3 }],
    })
}

fn known() -> Experiment {
    let arm = |name: &str, model, weight| ExperimentArm {
        name: name.into(),
        model: ModelId(model),
        weight,
    };
    Experiment {
        id: ExperimentId(1_000),
        setup: StartExperiment {
            name: "Newer against older".into(),
            method: ExperimentMethod::Ab,
            metric: ExperimentMetric::Plays,
            guards: vec![ExperimentMetric::Dislikes],
            arms: vec![arm("older", 1, 1), arm("newer", 2, 3)],
            share_percent: 100,
            window_ms: 48 * 3_600_000,
        },
        state: ExperimentState::Running,
        started_at: 0,
        stopped_at: None,
        problem: None,
    }
}

#[tokio::test]
async fn an_admin_starts_one_and_reads_it() {
    let world = World::new().await;
    world.answers("recommend.start_experiment", known());
    let admin = world.as_role(Role::Admin);
    let reply = admin.json(Method::POST, PATH, wanted()).await;
    assert_eq!(reply.status, 201, "{:?}", reply.body);
    let said = reply.json();
    assert_eq!(
        (&said["id"], &said["window_hours"], &said["state"]),
        (&json!("z8"), &json!(48), &json!("running"))
    );
    let asked: StartExperiment = serde_json::from_value(world.calls("recommend.start_experiment")[0].clone()).unwrap();
    assert_eq!(asked, known().setup, "what is left out has its default");
    let difference = ArmDifference {
        metric: ExperimentMetric::Plays,
        value: 0.5,
        low: 0.25,
        high: 0.75,
        p_value: 0.001,
        alpha: 0.05,
    };
    let arm = |name: &str, mean| ArmResult {
        name: name.into(),
        model: ModelId(1),
        viewers: 70,
        means: vec![(ExperimentMetric::Plays, mean)],
    };
    let results = ExperimentResults {
        experiment: known(),
        arms: vec![arm("older", 1.0), arm("newer", 1.5)],
        waiting: 3,
        difference: Some(difference),
        guards: Vec::new(),
        preference: None,
        verdict: ExperimentVerdict::Better,
        decision: "“newer” is better".into(),
    };
    world.answers("recommend.experiment", results);
    let said = admin.get(&format!("{PATH}/z8")).await.json();
    assert_eq!(
        (&said["name"], &said["verdict"], &said["waiting"]),
        (&json!("Newer against older"), &json!("better"), &json!(3))
    );
    assert_eq!(
        said["results"][1]["means"],
        json!([{ "metric": "plays", "value": 1.5 }])
    );
    assert_eq!(said["difference"]["low"], 0.25);
    assert_eq!(said.get("preference"), None);
    let broken = Experiment {
        problem: Some("the model cannot be used".into()),
        ..known()
    };
    world.answers("recommend.experiments", vec![known(), broken]);
    let listed = admin.get(PATH).await.json();
    assert_eq!(
        (&listed["items"][0]["id"], listed["items"][0].get("problem")),
        (&json!("z8"), None)
    );
    assert_eq!(listed["items"][1]["problem"], "the model cannot be used");
    world.answers(
        "recommend.stop_experiment",
        Experiment {
            state: ExperimentState::Stopped,
            ..known()
        },
    );
    let stopped = admin.json(Method::POST, &format!("{PATH}/z8/stop"), json!({})).await;
    assert_eq!(stopped.json()["state"], "stopped");
}

#[tokio::test]
async fn what_is_no_experiment_is_refused_by_its_field() {
    let world = World::new().await;
    let admin = world.as_role(Role::Admin);
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("x".repeat(81))),
        ("method", json!("guess")),
        ("metric", json!("clicks")),
        ("guards", json!(["plays", "finishes", "dislikes", "good_ratings"])),
        ("arms", json!([{ "name": "older", "model_id": "1" }])),
        (
            "arms[0].weight",
            json!([{ "name": "a", "model_id": "1", "weight": 0 }, { "name": "b", "model_id": "2" }]),
        ),
        ("share_percent", json!(101)),
        ("window_hours", json!(0)),
        ("window_hours", json!(721)),
        ("seed", json!(1)),
    ] {
        let mut body = wanted();
        body[field.split(['[', '.']).next().unwrap()] = value;
        let reply = admin.json(Method::POST, PATH, body).await;
        assert_eq!(reply.problem(), (422, "request_invalid".into()), "{field}");
        assert_eq!(reply.json()["errors"][0]["field"], field);
    }
    assert!(world.calls("recommend.start_experiment").is_empty());
    world.refuses("recommend.start_experiment", json!("experiment_running"));
    let reply = admin.json(Method::POST, PATH, wanted()).await;
    assert_eq!(reply.problem(), (409, "experiment_running".into()));
    let curator = world.as_role(Role::Curator).json(Method::POST, PATH, wanted()).await;
    assert_eq!(curator.problem().0, 403);
}
