/** The fixture's side of resumable uploads (tus 1.0): creation, where it stands, and pieces; some break in the middle on purpose. */

const DAY_MS = 86_400_000;

export class Refusal {
  constructor(status, code, title, detail) {
    Object.assign(this, { status, code, title, detail });
  }
}

/** An answer that is all status and headers. */
export class Reply {
  constructor(status, headers) {
    Object.assign(this, { status, headers: { "tus-resumable": "1.0.0", ...headers } });
  }
}

function uploadOf(state, id) {
  const upload = state.uploads.get(id);
  if (!upload) throw new Refusal(404, "upload_not_found", "Not found");
  return upload;
}

const metadataOf = (header = "") =>
  Object.fromEntries(
    header
      .split(",")
      .filter(Boolean)
      .map((pair) => pair.trim().split(" "))
      .map(([key, value]) => [key, Buffer.from(value ?? "", "base64").toString()]),
  );

export const uploadRoutes = [
  [
    "POST",
    /^\/admin\/uploads$/,
    (state, _m, { headers }) => {
      const id = `u${state.uploads.size + 1}`;
      const length = Number(headers["upload-length"]);
      state.uploads.set(id, { offset: 0, length, metadata: metadataOf(headers["upload-metadata"]) });
      return new Reply(201, { location: `/api/v1/admin/uploads/${id}` });
    },
  ],
  [
    "HEAD",
    /^\/admin\/uploads\/(\w+)$/,
    (state, [, id]) => {
      const refused = state.uploadHeads.shift();
      if (refused) return new Reply(refused);
      const { offset, length } = uploadOf(state, id);
      return new Reply(200, { "upload-offset": offset, "upload-length": length });
    },
  ],
  [
    "PATCH",
    /^\/admin\/uploads\/(\w+)$/,
    async (state, [, id], { headers, raw }) => {
      const upload = uploadOf(state, id);
      if (Number(headers["upload-offset"]) !== upload.offset) throw new Refusal(409, "offset_wrong", "Not there");
      await state.uploadGate;
      if (state.uploadBreaks > 0) {
        state.uploadBreaks -= 1;
        upload.offset += Math.floor(raw.length / 2);
        throw new Refusal(503, "unavailable", "Unavailable");
      }
      upload.offset += raw.length;
      return new Reply(204, { "upload-offset": upload.offset });
    },
  ],
  ["DELETE", /^\/admin\/uploads\/(\w+)$/, (state, [, id]) => uploadOf(state, id) && void state.uploads.delete(id)],
  [
    "GET",
    /^\/admin\/uploads$/,
    (state) => ({
      items: [...state.uploads]
        .filter(([, { offset, length }]) => offset < length)
        .map(([id, { offset, length, metadata }]) => ({
          id,
          title_id: metadata.title_id,
          filename: metadata.filename,
          fingerprint: metadata.fingerprint,
          bytes: length,
          offset,
          expires_at: new Date(Date.now() + DAY_MS).toISOString(),
        })),
      bytes_max: 256 * 2 ** 30,
      bytes_left: state.uploadBytesLeft,
      uploads_max: 20,
    }),
  ],
];
