/** Which key does what in the player: pure, so that help, tests and the page agree. */

export type Command =
  | { do: "toggle" }
  | { do: "seek"; by: number }
  | { do: "jump"; fraction: number }
  | { do: "frame"; by: 1 | -1 }
  | { do: "volume"; by: number }
  | { do: "mute" }
  | { do: "fullscreen" }
  | { do: "picture" }
  | { do: "speed"; by: 1 | -1 }
  | { do: "subtitles" }
  | { do: "help" }
  | { do: "leave" };

interface Pressed {
  key: string;
  ctrlKey?: boolean;
  altKey?: boolean;
  metaKey?: boolean;
}

/** What has the focus, and so keeps its own keys: a button its space, a slider or a choice its arrows as well, a text every key. */
export type Focused = "none" | "button" | "slider" | "text";

/** Without `singleKeys`, letters, digits and signs do nothing: who speaks to the machine types them by accident. */
export function commandOf(pressed: Pressed, focused: Focused, singleKeys = true): Command | undefined {
  if (pressed.ctrlKey || pressed.altKey || pressed.metaKey || focused === "text") return undefined;
  const key = pressed.key.length === 1 ? pressed.key.toLowerCase() : pressed.key;
  if ((key === " " || key === "Enter") && focused !== "none") return undefined;
  if (focused === "slider" && /^(Arrow|Home|End|Page)/.test(key)) return undefined;
  if (key.length === 1 && key !== " ") return singleKeys ? ofCharacter(key) : undefined;
  switch (key) {
    case " ":
      return { do: "toggle" };
    case "ArrowLeft":
      return { do: "seek", by: -5 };
    case "ArrowRight":
      return { do: "seek", by: 5 };
    case "ArrowUp":
      return { do: "volume", by: 0.05 };
    case "ArrowDown":
      return { do: "volume", by: -0.05 };
    case "Home":
      return { do: "jump", fraction: 0 };
    case "End":
      return { do: "jump", fraction: 1 };
    case "Escape":
      return { do: "leave" };
    default:
      return undefined;
  }
}

const CHARACTERS: Record<string, Command> = {
  k: { do: "toggle" },
  j: { do: "seek", by: -10 },
  l: { do: "seek", by: 10 },
  ",": { do: "frame", by: -1 },
  ".": { do: "frame", by: 1 },
  m: { do: "mute" },
  f: { do: "fullscreen" },
  i: { do: "picture" },
  c: { do: "subtitles" },
  "<": { do: "speed", by: -1 },
  ">": { do: "speed", by: 1 },
  "?": { do: "help" },
};

function ofCharacter(key: string): Command | undefined {
  if (/^[0-9]$/.test(key)) return { do: "jump", fraction: Number(key) / 10 };
  return Object.hasOwn(CHARACTERS, key) ? CHARACTERS[key] : undefined;
}

const SEEK_STEPS_S: Record<string, number> = {
  ArrowLeft: -5,
  ArrowDown: -5,
  ArrowRight: 5,
  ArrowUp: 5,
  PageDown: -60,
  PageUp: 60,
};

/** Where a key leads that is pressed on the seek bar; left is forward where one reads from right to left. */
export function seekKey(key: string, time: number, duration: number, rightToLeft: boolean): number | undefined {
  if (key === "Home") return 0;
  if (key === "End") return duration;
  const step = Object.hasOwn(SEEK_STEPS_S, key) ? SEEK_STEPS_S[key] : undefined;
  if (step === undefined) return undefined;
  const sideways = key === "ArrowLeft" || key === "ArrowRight";
  return Math.max(0, Math.min(duration, time + (rightToLeft && sideways ? -step : step)));
}

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

/** The speed that is meant: a party mends where its film is by running a little faster or slower. */
export function speedNear(rate: number): number {
  return SPEEDS.reduce((best, speed) => (Math.abs(speed - rate) < Math.abs(best - rate) ? speed : best), 1);
}

export function nextSpeed(current: number, by: 1 | -1): number {
  const at = SPEEDS.indexOf(speedNear(current)) + by;
  return SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at))] ?? 1;
}
