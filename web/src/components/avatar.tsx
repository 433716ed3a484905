/** Profile pictures: small scenes from a projector's light, drawn here, so that no face has to be uploaded. */
import type { ReactNode } from "react";

interface Scene {
  ground: string;
  light: string;
  shape: ReactNode;
}

const scenes: Record<string, Scene> = {
  lamp: {
    ground: "#6b3f14",
    light: "#f2b347",
    shape: <path d="M8 33 26 21v22zM30 22h22v20H30zM36 14a5 5 0 1 0 .1 0M47 14a5 5 0 1 0 .1 0" />,
  },
  moon: { ground: "#1f2d4d", light: "#cfdcff", shape: <path d="M40 12a21 21 0 1 0 12 33A17 17 0 0 1 40 12Z" /> },
  mask: {
    ground: "#5a1f2c",
    light: "#ff9c8a",
    shape: (
      <path
        d="M12 20c12 5 28 5 40 0 2 16-4 28-20 32C16 48 10 36 12 20Zm8 10c2-3 7-3 9 0-2 3-7 3-9 0Zm15 0c2-3 7-3 9 0-2 3-7 3-9 0Zm-11 10c5 5 11 5 16 0-4 8-12 8-16 0Z"
        fillRule="evenodd"
      />
    ),
  },
  wave: {
    ground: "#0f4048",
    light: "#8fe0d4",
    shape: <path d="M6 36c9-13 17-13 26 0s17 13 26 0v22H6zM44 14a6 6 0 1 0 .1 0" />,
  },
  hat: {
    ground: "#343a26",
    light: "#d9dd9b",
    shape: <path d="M22 18c6 4 14 4 20 0l3 20H19zM8 42c16 7 32 7 48 0-4 9-12 12-24 12S12 51 8 42Z" />,
  },
  star: {
    ground: "#3b2360",
    light: "#d7b5ff",
    shape: <path d="m32 9 6.5 15 16.5 1.5-12.5 11L46.5 53 32 44.5 17.5 53l4-16.5L9 25.5 25.5 24Z" />,
  },
  tree: { ground: "#1e4029", light: "#9fdb9d", shape: <path d="m32 8 14 18h-7l11 14H36v14h-8V40H14l11-14h-7Z" /> },
  reel: {
    ground: "#40382c",
    light: "#eadcc2",
    shape: (
      <path
        d="M32 9a23 23 0 1 0 .1 0Zm0 6a5 5 0 1 1-.1 0Zm-14 12a5 5 0 1 1-.1 0Zm28 0a5 5 0 1 1-.1 0ZM23 43a5 5 0 1 1-.1 0Zm18 0a5 5 0 1 1-.1 0Z"
        fillRule="evenodd"
      />
    ),
  },
};

export const avatarNames = Object.keys(scenes);

/** The chosen scene, or one that follows from the profile's name. */
function sceneOf(name: string | null | undefined, seed: string): Scene | undefined {
  if (name && scenes[name]) return scenes[name];
  let sum = 0;
  for (const letter of seed) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
  return scenes[avatarNames[sum % avatarNames.length] ?? "lamp"];
}

export function Avatar({ name, seed, className }: { name?: string | null; seed: string; className?: string }) {
  const scene = sceneOf(name, seed);
  if (!scene) return null;
  return (
    <svg viewBox="0 0 64 64" className={className ?? "avatar"} aria-hidden="true">
      <rect width="64" height="64" rx="10" fill={scene.ground} />
      <g fill={scene.light} opacity="0.95">
        {scene.shape}
      </g>
    </svg>
  );
}
