/** How somebody likes to watch on this device: subtitles and their look, the language of the sound, keys, what starts by itself. */
import { useSyncExternalStore } from "react";

const KEY = "kinora.player";
const LANGUAGE_CHARACTERS_MAX = 35;

export const SIZES = ["small", "medium", "large", "huge"] as const;
export const COLOURS = ["white", "yellow", "green", "cyan"] as const;
export const BACKGROUNDS = ["none", "half", "solid"] as const;
export const EDGES = ["none", "shadow", "outline"] as const;

export interface Look {
  size: (typeof SIZES)[number];
  colour: (typeof COLOURS)[number];
  background: (typeof BACKGROUNDS)[number];
  edge: (typeof EDGES)[number];
}

export interface Wanted {
  language: string;
  /** With sounds, for who does not hear them; of sound: a description of the picture. */
  accessible: boolean;
}

export interface Preferences {
  /** Absent: off. */
  subtitles: Wanted | undefined;
  /** What C brings back. */
  subtitlesLast: Wanted | undefined;
  audio: Wanted | undefined;
  /** More than stereo, where a film has it; absent: as there are loudspeakers. */
  surround: boolean | undefined;
  look: Look;
  autoplay: boolean;
  singleKeys: boolean;
}

export const initialPreferences: Preferences = {
  subtitles: undefined,
  subtitlesLast: undefined,
  audio: undefined,
  surround: undefined,
  look: { size: "medium", colour: "white", background: "half", edge: "shadow" },
  autoplay: true,
  singleKeys: true,
};

type Bag = Record<string, unknown>;
const bag = (value: unknown): Bag => (typeof value === "object" && value !== null ? (value as Bag) : {});

/** What was kept, as far as it can be understood: the rest is as for somebody new. */
export function parsePreferences(text: string | null): Preferences {
  let kept: Bag = {};
  try {
    kept = bag(JSON.parse(text ?? "{}"));
  } catch {
    // Somebody else's text under our name.
  }
  const look = bag(kept.look);
  const { look: usual } = initialPreferences;
  return {
    subtitles: wanted(kept.subtitles),
    subtitlesLast: wanted(kept.subtitlesLast),
    audio: wanted(kept.audio),
    surround: typeof kept.surround === "boolean" ? kept.surround : undefined,
    look: {
      size: oneOf(SIZES, look.size, usual.size),
      colour: oneOf(COLOURS, look.colour, usual.colour),
      background: oneOf(BACKGROUNDS, look.background, usual.background),
      edge: oneOf(EDGES, look.edge, usual.edge),
    },
    autoplay: kept.autoplay !== false,
    singleKeys: kept.singleKeys !== false,
  };
}

function wanted(value: unknown): Wanted | undefined {
  const { language, accessible } = bag(value);
  if (typeof language !== "string" || language.length > LANGUAGE_CHARACTERS_MAX) return undefined;
  return { language, accessible: accessible === true };
}

function oneOf<T extends string>(known: readonly T[], value: unknown, usual: T): T {
  return known.find((entry) => entry === value) ?? usual;
}

let current: Preferences | undefined;
const listeners = new Set<() => void>();

function read(): Preferences {
  try {
    return parsePreferences(localStorage.getItem(KEY));
  } catch {
    return initialPreferences;
  }
}

export const preferences = {
  get: (): Preferences => {
    current ??= read();
    return current;
  },
  change(change: Partial<Preferences>) {
    current = { ...preferences.get(), ...change };
    try {
      localStorage.setItem(KEY, JSON.stringify(current));
    } catch {
      // Storage is switched off: it lasts as long as the page.
    }
    for (const listener of listeners) listener();
  },
  /** Reads again what is kept: another tab has changed it. */
  reread() {
    current = undefined;
    for (const listener of listeners) listener();
  },
  subscribe(listener: () => void) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

window.addEventListener("storage", ({ key }) => key === KEY && preferences.reread());

export const usePreferences = () => useSyncExternalStore(preferences.subscribe, preferences.get);
