//! `/readyz` names what is broken while it is, and nothing afterwards.

use std::{fs, path::Path, time::Duration};

use serde_json::{Value, json};
use testkit::{Cluster, until};

const SOON: Duration = Duration::from_secs(30);

async fn until_readiness_is(cluster: &Cluster, status: u16, failing: Value) {
    let client = cluster.anonymous();
    let wanted = json!({ "ready": status == 200, "failing": failing });
    until(&wanted.to_string(), SOON, async || {
        let answer = client.get("//readyz").await;
        (answer.status.as_u16() == status && answer.json() == wanted).then_some(())
    })
    .await;
    assert_eq!(client.get("//livez").await.status.as_u16(), 200);
}

#[tokio::test]
async fn readiness_sees_files_that_are_gone() {
    let cluster = Cluster::one();
    until_readiness_is(&cluster, 200, json!([])).await;
    for (file, room) in [("catalog.db", "catalog"), ("blobs", "blobs")] {
        let (here, away) = (cluster.data().join(file), cluster.data().join("away"));
        fs::rename(&here, &away).unwrap();
        // Also where the folder would be made anew.
        fs::write(&here, "").unwrap();
        until_readiness_is(&cluster, 503, json!([room])).await;
        put_back(&away, &here);
        until_readiness_is(&cluster, 200, json!([])).await;
    }
}

fn put_back(away: &Path, here: &Path) {
    fs::remove_file(here).unwrap();
    fs::rename(away, here).unwrap();
}
