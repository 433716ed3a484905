// Reads every manifest of a folder with the parsers that players stand on: the order as JSON on standard input, what each parser
// found and what it complained about as JSON on standard output.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const order = JSON.parse(readFileSync(0, "utf8"));
const require = createRequire(order.modules);
const strict = require("hls-parser");
const { Parser } = require("m3u8-parser");
const dash = require("mpd-parser");
strict.setOptions({ strictMode: true, silent: false });

/** Runs a parser; an exception is a complaint. */
function tried(parser, file, read) {
  const complaints = [];
  try {
    return { parser, file, facts: read((text) => complaints.push(String(text))), complaints };
  } catch (error) {
    return { parser, file, facts: {}, complaints: [...complaints, String(error.stack ?? error)] };
  }
}

/** The method that all segments are encrypted with, each by the same key; null where none is. */
function keyOf(segments) {
  const keys = new Set(segments.map(({ key }) => (key ? `${key.method} ${key.uri}` : null)));
  return keys.size === 1 ? [...keys][0] : "several";
}

const sum = (numbers) => numbers.reduce((all, one) => all + one, 0);

function byHlsParser(text, complain) {
  const said = console.error;
  console.error = (...words) => complain(words.join(" "));
  try {
    const list = strict.parse(text);
    if (list.isMasterPlaylist) {
      const [seen, keyframes] = [false, true].map((own) => list.variants.filter((variant) => variant.isIFrameOnly === own));
      return {
        variants: seen.length,
        keyframe_variants: keyframes.length,
        audio: Math.max(0, ...seen.map((variant) => variant.audio.length)),
        subtitles: Math.max(0, ...seen.map((variant) => variant.subtitles.length)),
      };
    }
    return {
      segments: list.segments.length,
      seconds: sum(list.segments.map((segment) => segment.duration)),
      ended: list.endlist,
      key: keyOf(list.segments),
    };
  } finally {
    console.error = said;
  }
}

function byM3u8Parser(text, complain) {
  const parser = new Parser();
  parser.on("warn", (event) => complain(event.message));
  parser.push(text);
  parser.end();
  const { playlists, mediaGroups, iFramePlaylists, segments, endList } = parser.manifest;
  if (playlists) {
    const members = (kind) => Math.max(0, ...Object.values(mediaGroups[kind] ?? {}).map((group) => Object.keys(group).length));
    return {
      variants: playlists.length,
      keyframe_variants: iFramePlaylists.length,
      audio: members("AUDIO"),
      subtitles: members("SUBTITLES"),
    };
  }
  return {
    segments: segments.length,
    seconds: sum(segments.map((segment) => segment.duration)),
    ended: endList === true,
    key: keyOf(segments),
  };
}

function byMpdParser(text, complain) {
  const eventHandler = ({ type, message }) => (type === "warn" || type === "error") && complain(message);
  const parsed = dash.parse(text, { manifestUri: "http://127.0.0.1/manifest.mpd", eventHandler });
  const groups = (kind) => sum(Object.values(parsed.mediaGroups[kind] ?? {}).map((group) => Object.keys(group).length));
  return {
    variants: parsed.playlists.length,
    audio: groups("AUDIO"),
    subtitles: groups("SUBTITLES"),
    segments: parsed.playlists[0].segments.length,
    seconds: parsed.duration,
  };
}

const found = [];
for (const file of order.files) {
  const text = readFileSync(join(order.folder, file), "utf8");
  if (file.endsWith(".mpd")) {
    found.push(tried("mpd-parser", file, (complain) => byMpdParser(text, complain)));
  } else {
    found.push(tried("hls-parser", file, (complain) => byHlsParser(text, complain)));
    found.push(tried("m3u8-parser", file, (complain) => byM3u8Parser(text, complain)));
  }
}
console.log(JSON.stringify(found));
