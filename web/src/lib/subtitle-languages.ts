/** Languages to choose from for a file of subtitles. */
import { locale } from "@/strings";
import { languageName } from "./language-name";

/** What films are usually subtitled in; any other is read by the server from the file's name. */
const USUAL = [
  ...[
    "ar",
    "bg",
    "bn",
    "ca",
    "cs",
    "da",
    "de",
    "el",
    "en",
    "es",
    "et",
    "eu",
    "fa",
    "fi",
    "fil",
    "fr",
    "ga",
    "gl",
    "he",
  ],
  ...[
    "hi",
    "hr",
    "hu",
    "hy",
    "id",
    "is",
    "it",
    "ja",
    "ka",
    "ko",
    "lt",
    "lv",
    "mk",
    "ms",
    "nl",
    "no",
    "pl",
    "pt",
    "pt-BR",
  ],
  ...["ro", "ru", "sk", "sl", "sq", "sr", "sv", "ta", "te", "th", "tr", "uk", "ur", "vi", "zh", "zh-Hans", "zh-Hant"],
];

/** By their names in the page's language, and among them the one that a file has already. */
export function languageOptions(own: string | null): { value: string; label: string }[] {
  const tags = own && !USUAL.includes(own) ? [...USUAL, own] : USUAL;
  const options = tags.map((value) => ({ value, label: languageName(value) ?? value }));
  return options.sort((a, b) => a.label.localeCompare(b.label, locale));
}
