/**
 * What tus-js-client does end to end, against a real Kinora: each case sends something its way and looks at what lies on the
 * server's disk. Run by the server's tests: an order on standard input, `{ url, token, title, uploads, cases }`, and one line of
 * JSON on standard output, from the name of each case to "ok" or what went wrong.
 */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { Upload } from "tus-js-client";

const order = JSON.parse(readFileSync(0, "utf8"));
const endpoint = `${order.url}/api/v1/admin/uploads`;
const authorization = { Authorization: `Bearer ${order.token}` };
const WAIT_MS_MAX = 60_000;

/** Remembers places in memory, as a page does in the browser's own storage. */
function memory() {
  const places = new Map();
  let number = 0;
  return {
    count: () => places.size,
    findAllUploads: async () => [...places.values()],
    findUploadsByFingerprint: async (fingerprint) =>
      [...places]
        .filter(([key]) => key.startsWith(fingerprint))
        .map(([key, upload]) => ({ ...upload, urlStorageKey: key })),
    removeUpload: async (key) => void places.delete(key),
    addUpload: async (fingerprint, upload) => {
      number += 1;
      const key = `${fingerprint}::${number}`;
      places.set(key, upload);
      return key;
    },
  };
}

const DATA = { purpose: "dataset", filename: "Amélie ratings.csv" };

/** Begins; `done` settles when it has ended. `requests` are what went over the line. */
function send(file, options = {}) {
  const requests = [];
  const { onBeforeRequest, onChunkComplete, ...others } = options;
  let upload;
  const done = new Promise((resolve, reject) => {
    upload = new Upload(file, {
      endpoint,
      headers: authorization,
      metadata: DATA,
      retryDelays: [0, 100, 300],
      fingerprint: async () => "one file",
      onBeforeRequest: (request) => onBeforeRequest?.(request),
      onAfterResponse: (request, response) => {
        const header = (name) => request.getHeader(name);
        requests.push({
          method: request.getMethod(),
          status: response.getStatus(),
          offset: header("Upload-Offset"),
          header,
        });
      },
      onChunkComplete: (...figures) => onChunkComplete?.(upload, ...figures),
      onSuccess: resolve,
      onError: reject,
      ...others,
    });
  });
  return { upload, done, requests };
}

async function finished(sending) {
  sending.upload.start();
  await sending.done;
  return sending;
}

const idOf = (url) => url.split("/").at(-1);

function assertArrived(upload, bytes) {
  const stored = readFileSync(join(order.uploads, idOf(upload.url)));
  const digest = (content) => createHash("sha256").update(content).digest("hex");
  assert.equal(digest(stored), digest(bytes), `${stored.length} bytes on disk, ${bytes.length} sent`);
}

async function ask(url, method = "HEAD") {
  return fetch(url, { method, headers: { ...authorization, "Tus-Resumable": "1.0.0" } });
}

/** Sends until `parts` chunks are there, and stops like a person who closes the page. */
async function interrupted(file, options, parts = 2) {
  let chunks = 0;
  let stopped;
  const sending = send(file, {
    ...options,
    onChunkComplete: (upload) => {
      chunks += 1;
      const isRemembered = options.urlStorage.count() > 0;
      if (chunks >= parts && isRemembered) stopped ??= upload.abort();
    },
  });
  sending.upload.start();
  const until = Date.now() + WAIT_MS_MAX;
  while (!stopped && Date.now() < until) await wait(10);
  assert.ok(stopped, "no chunk was ever complete");
  await stopped;
  return sending;
}

async function resumed(file, options) {
  const sending = send(file, options);
  const [previous] = await sending.upload.findPreviousUploads();
  assert.ok(previous, "its place was not remembered");
  sending.upload.resumeFromPreviousUpload(previous);
  return finished(sending);
}

async function refused(sending) {
  const error = await finished(sending).then(
    () => assert.fail("it was taken"),
    (cause) => cause,
  );
  assert.ok(error.originalResponse, String(error));
  return { status: error.originalResponse.getStatus(), body: JSON.parse(error.originalResponse.getBody() || "{}") };
}

const cases = {
  async "a file goes in chunks"() {
    const bytes = randomBytes(3_000_000);
    const { upload, requests } = await finished(send(bytes, { chunkSize: 1_000_000 }));
    assertArrived(upload, bytes);
    assert.deepEqual(
      requests.map(({ method, offset }) => [method, offset]),
      [
        ["POST", undefined],
        ["PATCH", "0"],
        ["PATCH", "1000000"],
        ["PATCH", "2000000"],
      ],
    );
    const head = await ask(upload.url);
    assert.equal(head.headers.get("upload-offset"), "3000000");
  },

  async "it is told again as it was sent, and what was said of it"() {
    const metadata = { filename: "hello.txt", filetype: "text/plain", nonlatin: "słońce", number: 100 };
    for (const options of [{}, { uploadDataDuringCreation: true }, { parallelUploads: 2 }]) {
      const bytes = Buffer.from("hello world");
      const { upload } = await finished(send(bytes, { metadata, ...options }));
      assertArrived(upload, bytes);
      const read = await ask(upload.url, "GET");
      assert.deepEqual([read.status, await read.text()], [200, "hello world"]);
      const head = await ask(upload.url);
      assert.deepEqual([head.headers.get("upload-offset"), head.headers.get("upload-length")], ["11", "11"]);
      const told = head.headers.get("upload-metadata").split(",").map((pair) => pair.split(" "));
      const pairs = told.map(([key, value]) => [key, Buffer.from(value, "base64").toString()]);
      assert.deepEqual(Object.fromEntries(pairs), { ...metadata, number: "100" });
      // Its parts are used up, and the client would give up each of them too.
      await (options.parallelUploads ? ask(upload.url, "DELETE") : upload.abort(true));
      for (const method of ["HEAD", "GET"]) assert.equal((await ask(upload.url, method)).status, 404, method);
    }
  },

  async "the first bytes come with the creation"() {
    const bytes = randomBytes(500_000);
    const { upload, requests } = await finished(send(bytes, { uploadDataDuringCreation: true, chunkSize: 200_000 }));
    assertArrived(upload, bytes);
    assert.deepEqual(
      requests.map(({ method, offset }) => [method, offset]),
      [
        ["POST", undefined],
        ["PATCH", "200000"],
        ["PATCH", "400000"],
      ],
    );
  },

  async "all of a file comes with the creation"() {
    const bytes = randomBytes(100_000);
    const { upload, requests } = await finished(send(bytes, { uploadDataDuringCreation: true }));
    assertArrived(upload, bytes);
    assert.deepEqual(
      requests.map(({ method, status }) => [method, status]),
      [["POST", 201]],
    );
  },

  async "it goes on after it was stopped"() {
    const bytes = randomBytes(2_500_000);
    const options = { chunkSize: 500_000, urlStorage: memory() };
    await interrupted(bytes, options);
    const { upload, requests } = await resumed(bytes, options);
    assertArrived(upload, bytes);
    assert.equal(requests[0].method, "HEAD");
    assert.ok(Number(requests[1].offset) >= 1_000_000, "what had arrived was sent again");
    assert.deepEqual(await options.urlStorage.findAllUploads().then((all) => all.length), 1);
  },

  async "parts go side by side and become one"() {
    const bytes = randomBytes(2_000_003);
    const { upload, requests } = await finished(send(bytes, { parallelUploads: 4, chunkSize: 200_000 }));
    assertArrived(upload, bytes);
    const final = requests.at(-1);
    assert.equal(final.status, 201);
    const head = await ask(upload.url);
    assert.match(head.headers.get("upload-concat"), /^final;(\/api\/v1\/admin\/uploads\/\w+ ?){4}$/);
    assert.equal(head.headers.get("upload-length"), "2000003");
  },

  async "parts go on after they were stopped"() {
    const bytes = randomBytes(2_400_000);
    const options = { parallelUploads: 3, chunkSize: 100_000, urlStorage: memory() };
    await interrupted(bytes, options, 4);
    const { upload, requests } = await resumed(bytes, options);
    assertArrived(upload, bytes);
    assert.equal(requests.filter(({ method }) => method === "HEAD").length, 3);
    assert.equal(requests.filter(({ method }) => method === "POST").length, 1, "none is begun again");
  },

  async "a stream has no length before its end"() {
    const bytes = randomBytes(700_000);
    const stream = Readable.from([bytes.subarray(0, 300_000), bytes.subarray(300_000)]);
    const { upload, requests } = await finished(send(stream, { uploadLengthDeferred: true, chunkSize: 250_000 }));
    assertArrived(upload, bytes);
    assert.equal(requests[0].header("Upload-Defer-Length"), "1");
    const said = requests.map(({ header }) => header("Upload-Length")).filter(Boolean);
    assert.deepEqual(said, ["700000"]);
  },

  async "it is given up"() {
    const sending = await interrupted(randomBytes(900_000), { chunkSize: 300_000, urlStorage: memory() });
    const { url } = sending.upload;
    await sending.upload.abort(true);
    assert.equal((await ask(url)).status, 404);
    assert.equal(existsSync(join(order.uploads, idOf(url))), false);
  },

  async "a checksum says whether it arrived as it was sent"() {
    const bytes = randomBytes(9_000_000);
    const digest = (algorithm, content) => `${algorithm} ${createHash(algorithm).update(content).digest("base64")}`;
    for (const algorithm of ["sha1", "sha256"]) {
      const checked = (content) => (request) => {
        if (request.getMethod() === "PATCH") request.setHeader("Upload-Checksum", digest(algorithm, content));
      };
      const right = await finished(send(bytes, { onBeforeRequest: checked(bytes) }));
      assertArrived(right.upload, bytes);
      const wrong = send(bytes, { onBeforeRequest: checked(randomBytes(10)) });
      const { status } = await refused(wrong);
      assert.equal(status, 460);
      const head = await ask(wrong.upload.url);
      assert.equal(head.headers.get("upload-offset"), "0", "none of it counts");
      await ask(wrong.upload.url, "DELETE");
    }
  },

  async "a method may stand in a header"() {
    const bytes = randomBytes(400_000);
    const { upload, requests } = await finished(send(bytes, { overridePatchMethod: true, chunkSize: 150_000 }));
    assertArrived(upload, bytes);
    assert.deepEqual(new Set(requests.map(({ method }) => method)), new Set(["POST"]));
  },

  async "it is told why it is refused"() {
    const video = { purpose: "video", title_id: order.title, filename: "film.mp4" };
    const playlist = Buffer.from("#EXTM3U\n#EXTINF:10,\nhttp://10.0.0.1/secret.ts\n".repeat(5_000));
    const sending = send(playlist, { metadata: video, chunkSize: 50_000 });
    const { status, body } = await refused(sending);
    assert.deepEqual([status, body.code], [400, "file_invalid"]);
    assert.match(body.detail, /playlist/);
    assert.equal(sending.requests.filter(({ method }) => method === "PATCH").length, 1, "with its first bytes");
    assert.equal((await ask(sending.upload.url)).status, 404);
    const large = await refused(send(Buffer.alloc(10), { uploadSize: 60_000_000 }));
    assert.deepEqual([large.status, large.body.code], [413, "upload_too_large"]);
    const options = await ask(endpoint, "OPTIONS");
    assert.equal(options.headers.get("tus-max-size"), "50000000");
    const extensions =
      "creation,creation-with-upload,creation-defer-length,termination,checksum,expiration,concatenation";
    assert.equal(options.headers.get("tus-extension"), extensions);
  },

  async "it begins again where it has expired"() {
    const bytes = randomBytes(600_000);
    const options = { chunkSize: 200_000, urlStorage: memory() };
    const old = await interrupted(bytes, options, 1);
    const { url } = old.upload;
    const until = Date.now() + WAIT_MS_MAX;
    while ((await ask(url)).status !== 410 && Date.now() < until) await wait(200);
    assert.equal((await ask(url)).status, 410);
    const { upload, requests } = await resumed(bytes, { ...options, chunkSize: 600_000 });
    assertArrived(upload, bytes);
    assert.notEqual(upload.url, url);
    assert.deepEqual(
      requests.map(({ method }) => method),
      ["HEAD", "POST", "PATCH"],
    );
  },
};

const said = {};
for (const name of order.cases ??
  Object.keys(cases).filter((name) => name !== "it begins again where it has expired")) {
  said[name] = await cases[name]().then(
    () => "ok",
    (cause) => cause.stack ?? String(cause),
  );
}
console.log(JSON.stringify(said));
