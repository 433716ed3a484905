/** Times, dates, sizes and numbers as people write them, by `Intl`. */
import type { Title } from "@/api/types";
import { locale, strings } from "@/strings";

const two = (n: number) => String(n).padStart(2, "0");

/** `1:02:03` or `2:03`, for players. */
export function clockTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Seconds of what `clockTime` writes, `1:02:03`, `2:03` or `2:03.5`; undefined where it is no such time. */
export function secondsOf(clock: string): number | undefined {
  const [, hours = "0", minutes = "", seconds = ""] =
    clock.trim().match(/^(?:(\d{1,3}):)?(\d{1,2}):(\d{2}(?:\.\d{1,3})?)$/) ?? [];
  if (seconds === "" || Number(minutes) > 59 || Number(seconds) >= 60) return undefined;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

/** `1h 42m`, `42m`, `40s`: rounded up, since a film with seconds left is not over. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return unit(whole, "second");
  const minutes = Math.ceil(whole / 60);
  if (minutes < 60) return unit(minutes, "minute");
  const rest = minutes % 60;
  const hours = unit(Math.floor(minutes / 60), "hour");
  return rest ? `${hours} ${unit(rest, "minute")}` : hours;
}

function unit(value: number, name: "second" | "minute" | "hour"): string {
  return new Intl.NumberFormat(locale, { style: "unit", unit: name, unitDisplay: "narrow" }).format(value);
}

export function timeLeft(progress: { position_s: number; duration_s: number }): string {
  return duration(progress.duration_s - progress.position_s);
}

/** A title as a tab names it: an episode with its series and its place there. */
export function fullName({ name, place }: Pick<Title, "name" | "place">): string {
  if (!place) return name;
  return `${place.series_name} – ${strings.title.episodeShort(place.season, place.episode)} ${name}`;
}

const whole = new Intl.NumberFormat(locale);
const compact = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
const oneDigit = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const percentFormat = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });

export const number = (value: number) => whole.format(value);
export const compactNumber = (value: number) => compact.format(value);
export const stars = (value: number) => oneDigit.format(value);
export const percent = (fraction: number) => percentFormat.format(fraction);

export function date(iso: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(new Date(iso));
}

export function dateTime(iso: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["minute", 60],
  ["hour", 3600],
  ["day", 86_400],
];

/** `3 hours ago` within a week, the date after that. */
export function relative(iso: string, now: number = Date.now()): string {
  const seconds = (new Date(iso).getTime() - now) / 1000;
  if (Math.abs(seconds) > 7 * 86_400) return date(iso);
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const step = STEPS.findLast(([, size]) => Math.abs(seconds) >= size);
  return step ? format.format(Math.round(seconds / step[1]), step[0]) : format.format(0, "minute");
}

const BYTE_UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

export function bytes(value: number): string {
  const power = Math.min(BYTE_UNITS.length - 1, value > 0 ? Math.floor(Math.log10(value) / 3) : 0);
  return new Intl.NumberFormat(locale, {
    style: "unit",
    unit: BYTE_UNITS[power] ?? "byte",
    unitDisplay: "short",
    maximumFractionDigits: power > 1 ? 1 : 0,
  }).format(value / 1000 ** power);
}

/** `Action, Drama`, at most `max`. */
export const genreList = (genres: readonly string[], max = 3) => genres.slice(0, max).join(", ");
