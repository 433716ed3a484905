/** A film as the house packages one, made by ffmpeg: two rungs, three audio tracks of their own, subtitles and a storyboard. */
import { execFileSync } from "node:child_process";
import { createCipheriv, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const FILM_S = 120;
const FRAMES = 24;
const STEP_S = 5;

/** The folder to be served under `/media/`; the film lies in `film/` there. */
export function testFilm(): string {
  const media = mkdtempSync(join(tmpdir(), "kinora-film-"));
  const folder = join(media, "film");
  mkdirSync(folder, { recursive: true });
  encode(folder);
  writeFileSync(join(folder, "master.m3u8"), master(folder));
  writeFileSync(join(folder, "board.vtt"), storyboard());
  for (const [name, lines] of Object.entries(SUBTITLES)) writeFileSync(join(folder, `${name}.vtt`), vtt(lines));
  return media;
}

/** The same film encrypted as the house does it, in a folder of its own; `key` is what players are given instead of the right one. */
export function encryptedFilm(media: string, name: string, key: "right" | "missing" | "wrong" | "misread"): string {
  const [from, to] = [join(media, "film"), join(media, name)];
  mkdirSync(to);
  const keys = new Map<string, Buffer>();
  for (const file of readdirSync(from)) {
    const bytes = readFileSync(join(from, file));
    const [, track, number] = /^(\w+)-(\d+)\.m4s$/.exec(file) ?? [];
    if (track) {
      const own = keys.get(track) ?? randomBytes(16);
      keys.set(track, own);
      writeFileSync(join(to, file), encrypted(key === "misread" ? transport(bytes.length) : bytes, own, Number(number)));
    } else if (file.endsWith(".m3u8") && file !== "master.m3u8") {
      const tag = `$1#EXT-X-KEY:METHOD=AES-128,URI="${file.replace("m3u8", "key")}"\n`;
      writeFileSync(join(to, file), bytes.toString().replace(/(#EXT-X-MAP:.*\n)/, tag));
    } else {
      writeFileSync(join(to, file), bytes);
    }
  }
  for (const [track, own] of key === "missing" ? [] : keys)
    writeFileSync(join(to, `${track}.key`), key === "wrong" ? randomBytes(16) : own);
  return `/media/${name}/master.m3u8`;
}

/** What a wrong key seldom makes of a segment: noise in which somebody may see a transport stream. */
function transport(length: number): Buffer {
  const noise = Buffer.alloc(length);
  for (let packet = 0; packet < length; packet += 188) noise[packet] = 0x47;
  return noise;
}

/** A playlist that the house wrote: its own tests say that it would write the same today. */
const TWO_GROUPS = fileURLToPath(new URL("../../../crates/streaming/src/manifest/two-groups.m3u8", import.meta.url));
/** What of the film lies under the house's names. */
const RENDITIONS = { v0: "low", v1: "high", a0: "en", a1: "fr", a2: "talk", a3: "fr", a4: "talk", a5: "talk" };

/** The film with its sound in stereo and in 5.1, under the playlist that the house writes for such a one. */
export function filmOfTwoGroups(media: string): string {
  const [from, to] = [join(media, "film"), join(media, "groups")];
  for (const [name, track] of Object.entries(RENDITIONS)) {
    mkdirSync(join(to, name), { recursive: true });
    const playlist = readFileSync(join(from, `${track}.m3u8`), "utf8");
    writeFileSync(join(to, name, "index.m3u8"), playlist);
    for (const file of readdirSync(from).filter((one) => one === `${track}.mp4` || one.startsWith(`${track}-`)))
      symlinkSync(join(from, file), join(to, name, file));
  }
  writeFileSync(join(to, "master.m3u8"), readFileSync(TWO_GROUPS));
  return "/media/groups/master.m3u8";
}

/** The number of the segment is its vector. */
function encrypted(bytes: Buffer, key: Buffer, number: number): Buffer {
  const vector = Buffer.alloc(16);
  vector.writeUInt32BE(number, 12);
  const cipher = createCipheriv("aes-128-cbc", key, vector);
  return Buffer.concat([cipher.update(bytes), cipher.final()]);
}

/** What the server would answer to Play; a test changes what it is about. */
export const filmAnswer = {
  hls_url: "/media/film/master.m3u8",
  duration_s: FILM_S,
  storyboard_url: "/media/film/board.vtt",
  subtitles: [
    { id: "1", language: "en", label: "English", kind: "subtitles", url: "/media/film/en.vtt" },
    { id: "2", language: "en", label: "English", kind: "captions", url: "/media/film/sdh.vtt" },
    { id: "3", language: "de", label: "Deutsch", kind: "subtitles", url: "/media/film/de.vtt" },
    { id: "4", language: "en", label: "English", kind: "forced", url: "/media/film/forced.vtt" },
  ],
  chapters: [
    { start_s: 0, name: "The lamp" },
    { start_s: 30, name: "The handle" },
    { start_s: 75, name: "The cards fly" },
  ],
};

function encode(folder: string) {
  const sine = (hertz: number) => ["-f", "lavfi", "-i", `sine=${hertz}:d=${FILM_S}:r=48000`];
  const tiles = Math.ceil(Math.sqrt(FILM_S / STEP_S));
  const filters = [
    "[0:v]split=3[a][b][c]",
    "[a]scale=320:180[low]",
    "[b]null[high]",
    `[c]fps=1/${STEP_S},scale=160:90,tile=${tiles}x${tiles}[board]`,
    "[2:a]pan=5.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0[round]",
  ];
  const hls = ["-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4"];
  const playlist = (name: string) => [
    ...hls,
    "-hls_fmp4_init_filename",
    `${name}.mp4`,
    "-hls_segment_filename",
    `${folder}/${name}-%d.m4s`,
    `${folder}/${name}.m3u8`,
  ];
  const video = (name: string, rate: string) => [
    ...["-map", `[${name}]`, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-b:v", rate],
    ...["-g", String(2 * FRAMES), "-sc_threshold", "0", ...playlist(name)],
  ];
  const audio = (from: string, name: string) => [...["-map", from, "-c:a", "aac", "-b:a", "64k", ...playlist(name)]];
  execFileSync("ffmpeg", [
    ...["-loglevel", "error", "-y"],
    ...["-f", "lavfi", "-i", `testsrc2=s=640x360:r=${FRAMES}:d=${FILM_S}`, ...sine(440), ...sine(550), ...sine(660)],
    ...["-filter_complex", filters.join(";")],
    ...video("low", "200k"),
    ...video("high", "900k"),
    ...audio("1:a", "en"),
    ...audio("[round]", "fr"),
    ...audio("3:a", "talk"),
    ...["-map", "[board]", "-frames:v", "1", `${folder}/board.jpg`],
  ]);
  if (!existsSync(join(folder, "talk.m3u8"))) throw new Error("ffmpeg made no film");
}

function master(folder: string): string {
  const audio = (uri: string, language: string, name: string, channels: number, more = "") =>
    `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="${name}",LANGUAGE="${language}",AUTOSELECT=YES,CHANNELS="${channels}"${more},URI="${uri}.m3u8"`;
  const rung = (name: string, bandwidth: number, size: string) =>
    `#EXT-X-STREAM-INF:BANDWIDTH=${bandwidth},RESOLUTION=${size},FRAME-RATE=${FRAMES},CODECS="${codec(folder, name)},mp4a.40.2",AUDIO="audio"\n${name}.m3u8`;
  return [
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    "#EXT-X-INDEPENDENT-SEGMENTS",
    audio("en", "en", "English", 2, ",DEFAULT=YES"),
    audio("fr", "fr", "Français", 6),
    audio("talk", "en", "Commentary by the director", 2),
    rung("low", 350_000, "320x180"),
    rung("high", 1_200_000, "640x360"),
    "",
  ].join("\n");
}

/** `avc1.PPCCLL` from the decoder configuration of the initialisation segment. */
function codec(folder: string, name: string): string {
  const init = readFileSync(join(folder, `${name}.mp4`));
  const at = init.indexOf("avcC");
  return `avc1.${init.subarray(at + 5, at + 8).toString("hex")}`;
}

const stamp = (seconds: number) => new Date(seconds * 1000).toISOString().slice(11, 23);

function storyboard(): string {
  const across = Math.ceil(Math.sqrt(FILM_S / STEP_S));
  const cues = Array.from({ length: FILM_S / STEP_S }, (_, at) => {
    const area = `${(at % across) * 160},${Math.floor(at / across) * 90},160,90`;
    return `${stamp(at * STEP_S)} --> ${stamp((at + 1) * STEP_S)}\nboard.jpg#xywh=${area}`;
  });
  return `WEBVTT\n\n${cues.join("\n\n")}\n`;
}

type Line = [start: number, end: number, text: string, settings?: string];

const SUBTITLES: Record<string, Line[]> = {
  en: [
    [0, 20, "Mind the lamp, it is hot.\nThe handle turns to the right."],
    [20, 40, "- <i>Who</i> is there?\n- Nobody you would know.", "line:0"],
    [
      40,
      120,
      "A line that is so long that on a phone held upright it has to be broken into several, none of them lost.",
    ],
  ],
  sdh: [[0, 120, "[a projector rattles]\nADA: Mind the lamp!"]],
  de: [[0, 120, "Vorsicht, die Lampe ist heiß."]],
  forced: [[0, 120, "LONDON, 1900"]],
};

const vtt = (lines: Line[]) =>
  `WEBVTT\n\n${lines.map(([start, end, text, settings = ""]) => `${stamp(start)} --> ${stamp(end)} ${settings}\n${text}`).join("\n\n")}\n`;
