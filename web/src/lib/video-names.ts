/** What a video file is called after: `Solaris.1972.1080p.mkv` is Solaris of 1972. */

const EXTENSIONS = [".mkv", ".mp4", ".m4v", ".mov", ".avi", ".webm", ".ts", ".m2ts", ".mpg", ".mpeg"];

export const VIDEO_ACCEPT = `video/*,${EXTENSIONS.join(",")}`;

export function isVideoFile(file: File): boolean {
  return file.type.startsWith("video/") || EXTENSIONS.some((extension) => file.name.toLowerCase().endsWith(extension));
}

export function nameOf(filename: string): { name: string; year?: number } {
  const stem = filename.replace(/(?<=.)\.\w{2,5}$/, "");
  const spaced = stem.replace(/[._]+/g, " ").trim();
  const [, name, year] = spaced.match(/^(.+?)[\s([-]+((?:19|20)\d\d)(?:[\s)\]-].*)?$/) ?? [];
  if (name && year) return { name: name.trim(), year: Number(year) };
  return { name: spaced || filename };
}
