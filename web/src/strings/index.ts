/** The catalogue in use, and the locale that dates and numbers follow. */
import { en, type Strings } from "./en";

export const strings: Strings = en;
export const locale = "en-GB";
