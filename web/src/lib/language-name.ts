/** What a language is called in the page's own. */
import { locale } from "@/strings";

/** Of a BCP 47 tag; `undefined` where there is none, or it is none. */
export function languageName(tag: string | null | undefined): string | undefined {
  try {
    return tag ? new Intl.DisplayNames(locale, { type: "language" }).of(tag) : undefined;
  } catch {
    return undefined;
  }
}
