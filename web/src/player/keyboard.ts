/** Which key does what in the player: pure, so that help, tests and the page agree. */

export type Command =
  | { do: "toggle" }
  | { do: "seek"; by: number }
  | { do: "jump"; fraction: number }
  | { do: "volume"; by: number }
  | { do: "mute" }
  | { do: "fullscreen" }
  | { do: "picture" }
  | { do: "speed"; by: 1 | -1 }
  | { do: "help" }
  | { do: "leave" };

interface Pressed {
  key: string;
  ctrlKey?: boolean;
  altKey?: boolean;
  metaKey?: boolean;
}

/** `onControl`: the focus is on a button or slider, which keeps its own keys (space, arrows, Home, End). */
export function commandOf(pressed: Pressed, onControl: "none" | "button" | "slider"): Command | undefined {
  if (pressed.ctrlKey || pressed.altKey || pressed.metaKey) return undefined;
  const key = pressed.key.length === 1 ? pressed.key.toLowerCase() : pressed.key;
  if ((key === " " || key === "Enter") && onControl !== "none") return undefined;
  if (onControl === "slider" && /^(Arrow|Home|End|Page)/.test(key)) return undefined;
  if (/^[0-9]$/.test(key)) return { do: "jump", fraction: Number(key) / 10 };
  switch (key) {
    case " ":
    case "k":
      return { do: "toggle" };
    case "ArrowLeft":
      return { do: "seek", by: -5 };
    case "ArrowRight":
      return { do: "seek", by: 5 };
    case "j":
      return { do: "seek", by: -10 };
    case "l":
      return { do: "seek", by: 10 };
    case "ArrowUp":
      return { do: "volume", by: 0.05 };
    case "ArrowDown":
      return { do: "volume", by: -0.05 };
    case "m":
      return { do: "mute" };
    case "f":
      return { do: "fullscreen" };
    case "i":
      return { do: "picture" };
    case "<":
      return { do: "speed", by: -1 };
    case ">":
      return { do: "speed", by: 1 };
    case "Home":
      return { do: "jump", fraction: 0 };
    case "End":
      return { do: "jump", fraction: 1 };
    case "?":
      return { do: "help" };
    case "Escape":
      return { do: "leave" };
    default:
      return undefined;
  }
}

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

export function nextSpeed(current: number, by: 1 | -1): number {
  const at = SPEEDS.indexOf(current);
  return SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, (at < 0 ? 2 : at) + by))] ?? 1;
}
