/** Deep colours for genre tiles, dark enough for light text at 4.5:1; a genre always has the same one. */

const TONES = [
  "#5a2a27",
  "#264653",
  "#4a3b1f",
  "#2f4a36",
  "#473056",
  "#5b3a1a",
  "#1f4a4f",
  "#5a2444",
  "#37416b",
  "#4d4a24",
];

export function toneOf(name: string): string {
  let sum = 7;
  for (const letter of name) sum = (sum * 33 + (letter.codePointAt(0) ?? 0)) % 65_521;
  return TONES[sum % TONES.length] ?? "#2f4a36";
}
