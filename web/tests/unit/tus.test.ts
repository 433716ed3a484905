/** Uploads: in pieces, resumed where the server says, given up on a refusal, found again after a closed tab. */
import { describe, expect, it } from "vitest";
import { encodeMetadata, upload, uploadId } from "@/api/tus";
import { count, problem, serve } from "../support/server";

const PLACE = "/api/v1/admin/uploads/u1";
const file = (bytes: number) => new File([new Uint8Array(bytes)], "kid.mp4", { type: "video/mp4", lastModified: 1 });
const options = (bytes: number) => ({
  file: file(bytes),
  metadata: { title_id: "t1", filename: "kid.mp4", purpose: "video" },
  chunkBytes: 10,
  pause: async () => undefined,
});

/** A server that keeps what arrives, and breaks when told. */
function tusServer(breakAt: number[] = []) {
  let offset = 0;
  let patches = 0;
  const answer = (status: number) =>
    new Response(null, { status, headers: { "upload-offset": String(offset), "tus-resumable": "1.0.0" } });
  const asked = serve({
    "POST /api/v1/admin/uploads": () => new Response(null, { status: 201, headers: { location: PLACE } }),
    [`HEAD ${PLACE}`]: () => answer(200),
    [`PATCH ${PLACE}`]: async (request) => {
      patches += 1;
      const from = Number(request.headers.get("upload-offset"));
      if (from !== offset) return problem(409, "offset_mismatch");
      const body = await request.arrayBuffer();
      if (breakAt.includes(patches)) {
        offset += Math.floor(body.byteLength / 2);
        throw new TypeError("line broken");
      }
      offset += body.byteLength;
      return answer(204);
    },
  });
  return { asked, offset: () => offset };
}

describe("an upload", () => {
  it("sends every byte in pieces", async () => {
    const server = tusServer();
    const seen: number[] = [];
    const address = await upload({ ...options(25), onProgress: (sent) => seen.push(sent) });
    expect(uploadId(address)).toBe("u1");
    expect(server.offset()).toBe(25);
    expect(seen).toEqual([0, 10, 20, 25]);
  });

  it("goes on where the server got to when the line breaks in the middle of a piece", async () => {
    const server = tusServer([2]);
    await upload(options(30));
    expect(server.offset()).toBe(30);
    expect(count(server.asked, "HEAD", PLACE)).toBe(1);
    expect(server.asked.filter((one) => one.method === "PATCH").map((one) => one.headers.get("upload-offset"))).toEqual(
      ["0", "10", "15", "25"],
    );
  });

  it("gives up after five broken lines in a row, and finds its place again later", async () => {
    const server = tusServer([2, 3, 4, 5, 6]);
    await expect(upload(options(200))).rejects.toMatchObject({ status: 0 });
    await upload(options(200));
    expect(server.offset()).toBe(200);
    expect(count(server.asked, "POST", "/api/v1/admin/uploads")).toBe(1);
  });

  it("does not repeat what was refused", async () => {
    const asked = serve({
      "POST /api/v1/admin/uploads": () => new Response(null, { status: 201, headers: { location: PLACE } }),
      [`PATCH ${PLACE}`]: () => problem(413, "upload_too_large"),
    });
    await expect(upload(options(20))).rejects.toMatchObject({ code: "upload_too_large" });
    expect(count(asked, "PATCH", PLACE)).toBe(1);
  });
});

it("writes metadata as UTF-8 in base64", () => {
  expect(encodeMetadata({ filename: "Amélie.mp4", purpose: "video" })).toBe(
    "filename QW3DqWxpZS5tcDQ=,purpose dmlkZW8=",
  );
});
