/** Preview pictures for the seek bar: a WebVTT file whose cues name a part of a sprite sheet. */

export interface Preview {
  start: number;
  end: number;
  url: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

const CUES_MAX = 20_000;

/** Reads cues like `00:00:10.000 --> 00:00:20.000` followed by `sheet.jpg#xywh=0,0,160,90`; skips what it cannot read. */
export function parseStoryboard(text: string, base: string): Preview[] {
  const previews: Preview[] = [];
  for (const block of text.split(/\r?\n\r?\n/)) {
    const lines = block.trim().split(/\r?\n/);
    const at = lines.findIndex((line) => line.includes("-->"));
    const target = lines[at + 1];
    if (at < 0 || !target || previews.length >= CUES_MAX) continue;
    const [start, end] = (lines[at] ?? "").split("-->").map((time) => seconds(time.trim()));
    const [address, area] = target.trim().split("#xywh=");
    const [x, y, width, height] = (area ?? "").split(",").map(Number);
    if (start === undefined || end === undefined || !address || [x, y, width, height].some((n) => !Number.isFinite(n)))
      continue;
    previews.push({
      start,
      end,
      url: new URL(address, base).href,
      x: x ?? 0,
      y: y ?? 0,
      width: width ?? 0,
      height: height ?? 0,
    });
  }
  return previews;
}

function seconds(time: string): number | undefined {
  const parts = time.split(" ")[0]?.split(":").map(Number) ?? [];
  if (parts.length < 2 || parts.some((part) => !Number.isFinite(part))) return undefined;
  return parts.reduce((sum, part) => sum * 60 + part, 0);
}

export function previewAt(previews: readonly Preview[], time: number): Preview | undefined {
  return (
    previews.find((preview) => time >= preview.start && time < preview.end) ??
    previews.findLast((preview) => preview.start <= time)
  );
}
